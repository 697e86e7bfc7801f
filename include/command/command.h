/*
 * command.h - the verbs. Each takes the parsed command line and returns the exit code; results go to stdout,
 * talk to stderr. What a verb needs from the outside it opens itself and closes again.
 */
#ifndef BW_COMMAND_COMMAND_H
#define BW_COMMAND_COMMAND_H

#include "command/args.h"
#include "command/exit.h"

enum bw_exit bw_command_scan(const struct bw_args *a);
enum bw_exit bw_command_check(const struct bw_args *a);
enum bw_exit bw_command_run(const struct bw_args *a);
enum bw_exit bw_command_report(const struct bw_args *a);
enum bw_exit bw_command_history(const struct bw_args *a);
enum bw_exit bw_command_events(const struct bw_args *a);
enum bw_exit bw_command_resolve(const struct bw_args *a);
enum bw_exit bw_command_done(const struct bw_args *a);
enum bw_exit bw_command_forget(const struct bw_args *a);
enum bw_exit bw_command_pin(const struct bw_args *a);
enum bw_exit bw_command_config(const struct bw_args *a);
enum bw_exit bw_command_sink(const struct bw_args *a);
enum bw_exit bw_command_doctor(const struct bw_args *a);

/* The whole program: finds the verb, parses, runs, answers --help and --version. */
enum bw_exit bw_command_main(int argc, char **argv);

#endif
