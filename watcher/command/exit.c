#include "command/exit.h"

#include "core/log.h"

enum bw_exit bw_exit_of(const struct bw_err *err)
{
	switch (err->code) {
	case BW_OK: return BW_EXIT_OK;
	case BW_E_INPUT: return BW_EXIT_USAGE;
	case BW_E_FOREIGN: return BW_EXIT_FOREIGN;
	case BW_E_GONE: return BW_EXIT_NO_PATH;
	case BW_E_DENIED: return BW_EXIT_DENIED;
	case BW_E_LOCKED: return BW_EXIT_LOCKED;
	case BW_E_CONFIG: return BW_EXIT_CONFIG;
	case BW_E_RETRY:
	case BW_E_THROTTLED:
	case BW_E_AUTH:
	case BW_E_PEER: return BW_EXIT_UNKNOWN;
	case BW_E_FULL:
	case BW_E_STORE:
	case BW_E_LIMIT:
	case BW_E_SYS: return BW_EXIT_IO;
	}
	return BW_EXIT_IO;
}

enum bw_exit bw_exit_with(const struct bw_err *err)
{
	bw_error("%s", err->msg);
	return bw_exit_of(err);
}
