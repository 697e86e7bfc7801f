/*
 * key.h - the table of keys: what may stand in a configuration, and where its value goes. Everything else that knows
 * about keys is derived from it: fill.c (parsing), effective.c (showing), reload.c (comparing), and the sample, the JSON
 * Schema and the manual (docs.h).
 */
#ifndef BW_CONFIG_KEY_H
#define BW_CONFIG_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/scalar.h"
#include "config/tree.h"

/* Each with the type of the member that it fills. */
enum bw_key_type {
	BW_KEY_TEXT,	 /* char *: a text, in a format */
	BW_KEY_SCALAR,	 /* char *: any scalar as it is written; numbers too */
	BW_KEY_BOOL,	 /* bool */
	BW_KEY_INTEGER,	 /* int64_t */
	BW_KEY_DECIMAL,	 /* int64_t, thousandths: "0.5" is 500 */
	BW_KEY_PERCENT,	 /* int64_t; without a default -1 where it is not said */
	BW_KEY_DURATION, /* int64_t, milliseconds; with `choices` one word that means 0 */
	BW_KEY_CHOICE,	 /* unsigned: which of `choices` */
	BW_KEY_CHOICES,	 /* unsigned: a bit per one of `choices` */
	BW_KEY_URL,	 /* char *: `choices` are the schemes; `word` may stand in its place */
	BW_KEY_GIT,	 /* char *: what git can fetch from */
	BW_KEY_GLOB,	 /* char * */
	BW_KEY_FILE,	 /* char *: a path, made absolute */
	BW_KEY_FOLDER,	 /* char *: the same */
	BW_KEY_SECRET,	 /* struct bw_secret */
	BW_KEY_HEADER,	 /* struct bw_conf_header_value: a text or a secret */
	BW_KEY_RECORD,	 /* a struct with the keys of `keys` */
	BW_KEY_LIST,	 /* struct bw_key_list: of `item` */
	BW_KEY_MAP,	 /* struct bw_key_list: each element begins with `char *name`; the value is `item` */
};

enum bw_key_flag {
	BW_KEY_REQUIRED = 1 << 0,
	BW_KEY_RESTART = 1 << 1,   /* read at the start of the daemon only */
	BW_KEY_NOT_EMPTY = 1 << 2, /* a list with no element would be of no use */
	BW_KEY_SHOWN = 1 << 3,	   /* shown also when it is empty */
	BW_KEY_QUERY = 1 << 4,	   /* a URL whose path and query may be a secret: the query is masked */
	BW_KEY_OUTSIDE = 1 << 5, /* a folder that will be created where it is missing: nobody looks for it */
	BW_KEY_PATH = 1 << 6,	 /* a URL that may have a path and a query, neither of them secret */
};

/* What every BW_CONF_LIST() is. */
struct bw_key_list {
	void *items;
	size_t count, capacity;
};

struct bw_key_set;

struct bw_key {
	const char *name;
	enum bw_key_type type;
	size_t offset; /* in its record, or in the element of a list or map */
	unsigned flags;
	unsigned variant;     /* in which of the record's variants it may stand: 1 or 2; 0: in both */
	int64_t min, max;     /* of numbers, decimals (thousandths) and durations (ms); both 0: no limits */
	const char *fallback; /* the default, as it would be written; NULL: none. Of a list: its one item */
	const char *const *choices;	/* NULL-terminated */
	const char *word;		/* of a URL: what may be written instead; NULL: nothing */
	const char *user_info;		/* of a URL: where what is refused in it, a log-in, belongs */
	const struct bw_format *format; /* of a text, or of the names in a map */
	const struct bw_key *item;	/* of a list or map */
	size_t item_size;		/* of one element of a list or map */
	const struct bw_key_set *keys;	/* of a record */
	const char *help;		/* one or more sentences */
	const char *without;		/* what holds without it, where there is no default */
	const char *sample[2]; /* YAML on one line for the sample file, by variant; NULL: its default */
};

struct bw_key_set {
	const char *title;    /* "a sink" */
	const char *name_key; /* of the element in a map: what the name is, for people */
	const struct bw_key *keys;
	size_t count;
	const char *variants[2];    /* "type mqtt"; NULL: there is one kind only */
	const char *sample_name[2]; /* in a map */
	/* 1 or 2; 0: cannot be told. From the text, and from the values. */
	unsigned (*variant_of_node)(const struct bw_node *map, const char *name);
	unsigned (*variant_of)(const void *record);
};

extern const struct bw_key_set bw_keys_root;

/* May this key stand in a record of this variant? Variant 0: not known, so it may. */
static inline bool bw_key_fits(const struct bw_key *k, unsigned variant)
{
	return k->variant == 0 || variant == 0 || k->variant == variant;
}

/* Where a key's value is. */
static inline void *bw_key_at(void *owner, const struct bw_key *k)
{
	return (char *)owner + k->offset;
}

static inline const void *bw_key_in(const void *owner, const struct bw_key *k)
{
	return (const char *)owner + k->offset;
}

/* "a duration from 1s to 365d": what a value has to be, with its limits. */
void bw_key_describe(const struct bw_key *k, struct bw_buf *ret);

/* Sets every member to its default; `record` holds nothing yet. And frees every member. */
void bw_record_init(const struct bw_key_set *set, void *record);
void bw_record_done(const struct bw_key_set *set, void *record);
/* Frees one value and leaves it empty. */
void bw_value_done(const struct bw_key *k, void *value);
/* A new element at the end of a list or map, zeroed; of a record with its defaults. */
void *bw_element_add(const struct bw_key *k, struct bw_key_list *list);
static inline void *bw_element_at(const struct bw_key *k, const struct bw_key_list *list, size_t i)
{
	return (char *)list->items + i * k->item_size;
}

/* The bits of all words of a set. */
unsigned bw_choices_all(const char *const *choices);

#endif
