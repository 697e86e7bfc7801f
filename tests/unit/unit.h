/* unit.h - what every unit test includes first: cmocka with the headers that it expects before itself. */
#ifndef BW_TESTS_UNIT_H
#define BW_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
