/*
 * usage.c - runs a command and prints what it used: wall and CPU seconds and the peak resident memory in KiB, its own
 * children included. A small program does this, because a process inherits the peak of the one that forked it.
 *
 * usage: usage FD COMMAND [ARG...]     prints "WALL CPU RSS EXIT" to the file descriptor
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

int main(int argc, char **argv)
{
	struct timespec start, end;
	struct rusage u;
	int status;
	pid_t pid;

	if (argc < 3)
		return 64;
	clock_gettime(CLOCK_MONOTONIC, &start);
	pid = fork();
	if (pid == 0) {
		execvp(argv[2], argv + 2);
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &status, 0, &u) < 0)
		return 71;
	clock_gettime(CLOCK_MONOTONIC, &end);
	dprintf((int)strtol(argv[1], NULL, 10), "%.6f %.6f %ld %d\n",
		(double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9,
		seconds(u.ru_utime) + seconds(u.ru_stime), u.ru_maxrss,
		WIFEXITED(status) ? WEXITSTATUS(status) : 128);
	return 0;
}
