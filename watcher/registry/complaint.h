/*
 * complaint.h - may people see what a helper program says when it fails? Such programs have secrets in their hands, and
 * some print them all the same. Pure.
 */
#ifndef BW_REGISTRY_COMPLAINT_H
#define BW_REGISTRY_COMPLAINT_H

#include <stddef.h>

/*
 * Its first line that says something, when all of it is a sentence of plain words and can hardly have a secret in it, as in
 * "the keyring is locked"; "" otherwise. A sentence has three words or more; words are of small letters, but for a capital in
 * front; numbers have three digits at most. No other signs than those of a sentence, no colon, and behind "password", "secret",
 * "token", "key" and their like comes nothing at all. The caller frees.
 */
char *bw_complaint_words(const char *text, size_t len);

#endif
