/* placeholder.h - what stands in a template (buildfile/template.h) for the hex of a digest that is not known yet. */
#ifndef BW_BUILDFILE_PLACEHOLDER_H
#define BW_BUILDFILE_PLACEHOLDER_H

#define BW_PLACEHOLDER	   "0000000000000000000000000000000000000000000000000000000000000000"
#define BW_PLACEHOLDER_LEN 64

#endif
