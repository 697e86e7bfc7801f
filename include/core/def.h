/* def.h - compiler attributes that every room uses. */
#ifndef BW_CORE_DEF_H
#define BW_CORE_DEF_H

#include <stddef.h>

#define BW_NODISCARD	    __attribute__((warn_unused_result))
#define BW_PRINTF(fmt, arg) __attribute__((format(printf, fmt, arg)))
#define BW_UNUSED	    __attribute__((unused))
#define BW_CLEANUP(fn)	    __attribute__((cleanup(fn)))

#define BW_COUNT(array) (sizeof(array) / sizeof((array)[0]))

#endif
