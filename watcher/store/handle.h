/* handle.h - what tests may turn on an open database; private to store/. */
#ifndef BW_STORE_HANDLE_H
#define BW_STORE_HANDLE_H

#include "store/store.h"

/* How long a lock of another process is waited for; 5000 after opening. */
void bw_store_set_busy_ms(struct bw_store *s, unsigned ms);

#endif
