/* version.h - the one place that holds the version; the Makefile and the manual read it from here. */
#ifndef BW_CORE_VERSION_H
#define BW_CORE_VERSION_H

#define BW_VERSION "0.1.0"

#endif
