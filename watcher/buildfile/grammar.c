#include "buildfile/grammar.h"

#include <string.h>

#include "buildfile/rune.h"
#include "core/text.h"

enum flag_kind { FLAG_BOOL, FLAG_ONCE, FLAG_MANY };

struct flag_rule {
	enum bw_keyword keyword;
	const char *name;
	enum flag_kind kind;
};

static const struct flag_rule flag_rules[] = {
	{BW_KEYWORD_ADD, "chown", FLAG_ONCE},
	{BW_KEYWORD_ADD, "chmod", FLAG_ONCE},
	{BW_KEYWORD_ADD, "link", FLAG_BOOL},
	{BW_KEYWORD_ADD, "keep-git-dir", FLAG_BOOL},
	{BW_KEYWORD_ADD, "checksum", FLAG_ONCE},
	{BW_KEYWORD_ADD, "unpack", FLAG_BOOL},
	{BW_KEYWORD_ADD, "exclude", FLAG_MANY},
	{BW_KEYWORD_COPY, "from", FLAG_ONCE},
	{BW_KEYWORD_COPY, "chown", FLAG_ONCE},
	{BW_KEYWORD_COPY, "chmod", FLAG_ONCE},
	{BW_KEYWORD_COPY, "link", FLAG_BOOL},
	{BW_KEYWORD_COPY, "parents", FLAG_BOOL},
	{BW_KEYWORD_COPY, "exclude", FLAG_MANY},
	{BW_KEYWORD_FROM, "platform", FLAG_ONCE},
	{BW_KEYWORD_HEALTHCHECK, "interval", FLAG_ONCE},
	{BW_KEYWORD_HEALTHCHECK, "timeout", FLAG_ONCE},
	{BW_KEYWORD_HEALTHCHECK, "start-period", FLAG_ONCE},
	{BW_KEYWORD_HEALTHCHECK, "start-interval", FLAG_ONCE},
	{BW_KEYWORD_HEALTHCHECK, "retries", FLAG_ONCE},
	{BW_KEYWORD_RUN, "mount", FLAG_MANY},
	{BW_KEYWORD_RUN, "network", FLAG_ONCE},
	{BW_KEYWORD_RUN, "security", FLAG_ONCE},
	{BW_KEYWORD_RUN, "device", FLAG_MANY}, /* of the "labs" frontend */
};

static const struct flag_rule *rule_of(const struct bw_instruction *ins, const struct bw_flag *f)
{
	for (size_t i = 0; i < BW_COUNT(flag_rules); i++)
		if (flag_rules[i].keyword == ins->keyword && bw_flag_is(ins, f, flag_rules[i].name))
			return &flag_rules[i];
	return NULL;
}

static const char *flag_name(const struct bw_instruction *ins, const struct bw_flag *f)
{
	return ins->flag_text.text + f->name;
}

static int check_bool(const struct bw_instruction *ins, const struct bw_flag *f, struct bw_err *err)
{
	const char *value = ins->flag_text.text + f->value;
	char word[8] = "";

	if (!f->has_value)
		return 0;
	if (f->value_len == 0)
		return bw_fail(err, BW_E_INPUT, "missing a value on flag: --%.*s", (int)f->name_len,
			       flag_name(ins, f));
	if (f->value_len < sizeof(word))
		memcpy(word, value, f->value_len);
	if (strlen(word) != f->value_len) /* too long, or a NUL inside */
		word[0] = '\0';
	if (bw_text_is_nocase(word, "true") || bw_text_is_nocase(word, "false"))
		return 0;
	return bw_fail(err, BW_E_INPUT, "expecting boolean value for flag --%.*s, not: %.*s",
		       (int)f->name_len, flag_name(ins, f), (int)f->value_len, value);
}

static int check_flag(const struct bw_instruction *ins, size_t index, unsigned *seen, struct bw_err *err)
{
	const struct bw_flag *f = &ins->flags[index];
	const struct flag_rule *rule = rule_of(ins, f);
	unsigned bit;

	if (!rule)
		return bw_fail(err, BW_E_INPUT, "unknown flag: --%.*s", (int)f->name_len, flag_name(ins, f));
	bit = 1U << (rule - flag_rules);
	if (rule->kind != FLAG_MANY && *seen & bit)
		return bw_fail(err, BW_E_INPUT, "duplicate flag specified: --%s", rule->name);
	*seen |= bit;
	if (rule->kind == FLAG_BOOL)
		return check_bool(ins, f, err);
	if (!f->has_value)
		return bw_fail(err, BW_E_INPUT, "missing a value on flag: --%s", rule->name);
	return 0;
}

static int check_flags(const struct bw_instruction *ins, struct bw_err *err)
{
	unsigned seen = 0;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < ins->flag_count; i++)
		rc = check_flag(ins, i, &seen, err);
	return rc;
}

static int at_least_one(const struct bw_instruction *ins, struct bw_err *err)
{
	return bw_fail(err, BW_E_INPUT, "%s requires at least one argument", bw_keyword_name(ins->keyword));
}

static bool is_name_char(char c, bool first)
{
	if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
		return true;
	return !first && ((c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.');
}

bool bw_grammar_is_stage_name(struct bw_text name)
{
	for (size_t i = 0; i < name.len; i++)
		if (!is_name_char(name.s[i], i == 0))
			return false;
	return name.len > 0;
}

static int check_from(const struct bw_instruction *ins, struct bw_err *err)
{
	struct bw_text arg[4];
	size_t count = 0;
	size_t pos = 0;

	while (count < BW_COUNT(arg) && bw_next_argument(ins->rest, &pos, &arg[count]))
		count++;
	if (count == 3 && arg[1].len == 2 && (arg[1].s[0] | 0x20) == 'a' && (arg[1].s[1] | 0x20) == 's') {
		if (!bw_grammar_is_stage_name(arg[2]))
			return bw_fail(
				err, BW_E_INPUT,
				"invalid name for build stage: \"%.*s\", name can't start with a number "
				"or contain symbols",
				(int)arg[2].len, arg[2].s);
	} else if (count != 1) {
		return bw_fail(err, BW_E_INPUT, "FROM requires either one or three arguments");
	}
	return check_flags(ins, err);
}

static int check_copy(const struct bw_instruction *ins, const struct bw_list *list, struct bw_err *err)
{
	const char *name = bw_keyword_name(ins->keyword);
	int rc;

	if (list->count < 2)
		return bw_fail(
			err, BW_E_INPUT,
			"%s requires at least two arguments, but only one was provided. Destination could "
			"not be determined",
			name);
	rc = check_flags(ins, err);
	if (rc == 0 && list->last_is_heredoc)
		return bw_fail(err, BW_E_INPUT, "%s cannot accept a heredoc as a destination", name);
	return rc;
}

/* ENV and LABEL: pairs, or in the old form one name and the rest of the line. */
static int check_pairs(const struct bw_instruction *ins, char escape, struct bw_err *err)
{
	const char *name = bw_keyword_name(ins->keyword);
	struct bw_text word;
	size_t pos = 0;
	bool first = true;
	bool blank = false;

	for (; bw_next_word(ins->rest, escape, &pos, &word); first = false) {
		const char *equals = memchr(word.s, '=', word.len);

		if (!equals && first) {
			size_t argument = 0;

			if (!bw_next_argument(ins->rest, &argument, &word) || argument == ins->rest.len)
				return bw_fail(err, BW_E_INPUT, "%s must have two arguments", name);
			return check_flags(ins, err);
		}
		if (!equals)
			return bw_fail(
				err, BW_E_INPUT,
				"Syntax error - can't find = in \"%.*s\". Must be of the form: name=value",
				(int)word.len, word.s);
		blank |= equals == word.s;
	}
	if (check_flags(ins, err) < 0)
		return BW_E_INPUT;
	if (first)
		return at_least_one(ins, err);
	return blank ? bw_fail(err, BW_E_INPUT, "%s names can not be blank", name) : 0;
}

/* ARG takes any flags without a look. */
static int check_arg(const struct bw_instruction *ins, char escape, struct bw_err *err)
{
	struct bw_text word;
	size_t pos = 0;
	size_t count = 0;

	for (; bw_next_word(ins->rest, escape, &pos, &word); count++)
		if (*word.s == '=')
			return bw_fail(err, BW_E_INPUT, "ARG names can not be blank");
	return count > 0 ? 0 : at_least_one(ins, err);
}

static int check_single(const struct bw_instruction *ins, struct bw_err *err)
{
	if (ins->rest.len == 0)
		return bw_fail(err, BW_E_INPUT, "%s requires exactly one argument",
			       bw_keyword_name(ins->keyword));
	/* STOPSIGNAL takes any flags without a look. */
	return ins->keyword == BW_KEYWORD_STOPSIGNAL ? 0 : check_flags(ins, err);
}

static int check_shell(const struct bw_instruction *ins, const struct bw_list *list, struct bw_err *err)
{
	int rc = check_flags(ins, err);

	if (rc < 0)
		return rc;
	if (list->count == 0)
		return at_least_one(ins, err);
	if (list->form != BW_FORM_JSON)
		return bw_fail(err, BW_E_INPUT, "SHELL requires the arguments to be in JSON form");
	return 0;
}

static int check_volume(const struct bw_instruction *ins, const struct bw_list *list, struct bw_err *err)
{
	int rc;

	if (list->count == 0)
		return at_least_one(ins, err);
	rc = check_flags(ins, err);
	if (rc == 0 && list->has_empty)
		return bw_fail(err, BW_E_INPUT, "VOLUME specified can not be an empty string");
	return rc;
}

static bool is_word(struct bw_text t, const char *word)
{
	return t.len == strlen(word) && strncasecmp(t.s, word, t.len) == 0;
}

static int mixed(struct bw_err *err)
{
	return bw_fail(err, BW_E_INPUT,
		       "when using JSON array syntax, arrays must be comprised of strings only");
}

static int check_healthcheck(const struct bw_instruction *ins, struct bw_err *err)
{
	struct bw_text kind;
	struct bw_text command;
	struct bw_list list;
	size_t pos = 0;

	if (!bw_next_argument(ins->rest, &pos, &kind))
		return at_least_one(ins, err);
	while (pos < ins->rest.len && bw_is_blank(ins->rest.s[pos]))
		pos++;
	command = (struct bw_text){ins->rest.s + pos, ins->rest.len - pos};
	list = bw_list_read(command);
	if (list.form == BW_FORM_MIXED)
		return mixed(err);
	if (is_word(kind, "NONE"))
		return list.count == 0 ? 0 : bw_fail(err, BW_E_INPUT, "HEALTHCHECK NONE takes no arguments");
	if (check_flags(ins, err) < 0)
		return BW_E_INPUT;
	if (!is_word(kind, "CMD"))
		return bw_fail(err, BW_E_INPUT, "Unknown type \"%.*s\" in HEALTHCHECK (try CMD)",
			       (int)kind.len, kind.s);
	return list.count > 0 ? 0 : bw_fail(err, BW_E_INPUT, "Missing command after HEALTHCHECK CMD");
}

/* What the trigger itself holds is looked at when it fires. */
static int check_onbuild(const struct bw_instruction *ins, char escape, struct bw_err *err)
{
	BW_AUTOINSTRUCTION struct bw_instruction trigger = {0};

	if (ins->rest.len == 0)
		return at_least_one(ins, err);
	bw_instruction_read(&trigger, ins->rest.s, 0, ins->rest.len, escape);
	if (check_flags(ins, err) < 0)
		return BW_E_INPUT;
	switch (trigger.keyword) {
	case BW_KEYWORD_ONBUILD:
		return bw_fail(err, BW_E_INPUT, "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed");
	case BW_KEYWORD_FROM:
	case BW_KEYWORD_MAINTAINER:
		return bw_fail(err, BW_E_INPUT, "%s isn't allowed as an ONBUILD trigger",
			       bw_keyword_name(trigger.keyword));
	case BW_KEYWORD_ADD:
	case BW_KEYWORD_COPY:
	case BW_KEYWORD_RUN:
	case BW_KEYWORD_CMD:
	case BW_KEYWORD_ENTRYPOINT:
	case BW_KEYWORD_SHELL:
	case BW_KEYWORD_VOLUME: return bw_list_read(trigger.rest).form == BW_FORM_MIXED ? mixed(err) : 0;
	default: return 0;
	}
}

/* The instructions whose arguments may be a JSON array. */
static int check_list(const struct bw_instruction *ins, struct bw_err *err)
{
	struct bw_list list = bw_list_read(ins->rest);

	if (list.form == BW_FORM_MIXED)
		return mixed(err);
	switch (ins->keyword) {
	case BW_KEYWORD_ADD:
	case BW_KEYWORD_COPY: return check_copy(ins, &list, err);
	case BW_KEYWORD_SHELL: return check_shell(ins, &list, err);
	case BW_KEYWORD_VOLUME: return check_volume(ins, &list, err);
	default: return check_flags(ins, err);
	}
}

static int unknown(const struct bw_instruction *ins, struct bw_err *err)
{
	/* A lone escape character at the end of the file. */
	if (ins->name.len == 0)
		return bw_fail(err, BW_E_INPUT, "a line goes on, but nothing follows");
	return bw_fail(err, BW_E_INPUT, "unknown instruction: %.*s", (int)ins->name.len, ins->name.s);
}

int bw_grammar_check(const struct bw_instruction *ins, char escape, struct bw_err *err)
{
	switch (ins->keyword) {
	case BW_KEYWORD_FROM: return check_from(ins, err);
	case BW_KEYWORD_ARG: return check_arg(ins, escape, err);
	case BW_KEYWORD_ENV:
	case BW_KEYWORD_LABEL: return check_pairs(ins, escape, err);
	case BW_KEYWORD_MAINTAINER:
	case BW_KEYWORD_STOPSIGNAL:
	case BW_KEYWORD_USER:
	case BW_KEYWORD_WORKDIR: return check_single(ins, err);
	case BW_KEYWORD_EXPOSE: return ins->rest.len > 0 ? check_flags(ins, err) : at_least_one(ins, err);
	case BW_KEYWORD_HEALTHCHECK: return check_healthcheck(ins, err);
	case BW_KEYWORD_ONBUILD: return check_onbuild(ins, escape, err);
	case BW_KEYWORD_UNKNOWN:
	case BW_KEYWORD_COUNT: return unknown(ins, err);
	default: return check_list(ins, err);
	}
}
