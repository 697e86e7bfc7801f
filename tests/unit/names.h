/*
 * names.h - a name that nobody's resolver knows, and that leads to this machine: "rebound.test" is 127.0.0.1. To be
 * included by one file of a test; libraries find getaddrinfo() here.
 */
#ifndef BW_TESTS_NAMES_H
#define BW_TESTS_NAMES_H

#include <dlfcn.h>
#include <netdb.h>
#include <string.h>

#define REBOUND "rebound.test"

int getaddrinfo(const char *restrict name, const char *restrict service,
		const struct addrinfo *restrict hints, struct addrinfo **restrict ret)
{
	int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **) = NULL;
	void *found = dlsym(RTLD_NEXT, "getaddrinfo");

	memcpy(&real, &found, sizeof(real)); /* ISO C has no cast between the two kinds of pointers */
	return real(name && strcmp(name, REBOUND) == 0 ? "127.0.0.1" : name, service, hints, ret);
}

#endif
