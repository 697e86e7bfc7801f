/*
 * fault.h - what libcurl finds wrong: with a transfer, with the URL of a proxy, and what is wrong with itself. It repeats what
 * it was given, a proxy with its user among it, and what we say of a failure is logged, stored and sent away. Pure.
 */
#ifndef BW_NET_FAULT_H
#define BW_NET_FAULT_H

#include "core/err.h"
#include "net/http.h"

/* Of a CURLcode. */
enum bw_http_failure bw_fault_kind(unsigned code);

/* The words for people: those of the error buffer, which is trimmed, or the general ones of the code. */
const char *bw_fault_words(char *error_buffer, unsigned code);

/* Why libcurl would not take this for a proxy, in words that have nothing of it; NULL: it would. */
const char *bw_fault_of_proxy(const char *value);

/* Is the libcurl that is there at run time one that http.c can work with? */
int bw_fault_of_library(struct bw_err *err) BW_NODISCARD;

#endif
