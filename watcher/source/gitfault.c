#include "source/gitfault.h"

#include <stdbool.h>
#include <string.h>

#include "core/mem.h"
#include "core/text.h"

/* Looked for in all that was said, the first that is found decides: the telling before the general. */
static const struct {
	const char *words;
	enum bw_code code;
} faults[] = {
	{"No space left on device", BW_E_FULL},
	{"Disk quota exceeded", BW_E_FULL},
	{"File too large", BW_E_LIMIT},
	{"died of signal 25", BW_E_LIMIT}, /* SIGXFSZ */
	{"Out of memory", BW_E_LIMIT},
	{"out of memory", BW_E_LIMIT},
	{"' not allowed", BW_E_INPUT}, /* transport 'file' not allowed */
	{"not supported or disabled in libcurl", BW_E_INPUT},
	{"Unsupported protocol", BW_E_INPUT},
	{"Could not resolve host", BW_E_RETRY},
	{"Couldn't resolve host", BW_E_RETRY},
	{"unable to look up", BW_E_RETRY},
	{"Failed to connect", BW_E_RETRY},
	{"Couldn't connect", BW_E_RETRY},
	{"onnection refused", BW_E_RETRY},
	{"onnection reset", BW_E_RETRY},
	{"onnection timed out", BW_E_RETRY},
	{"onnection closed by", BW_E_RETRY},
	{"peration timed out", BW_E_RETRY},
	{"peration too slow", BW_E_RETRY},
	{"Network is unreachable", BW_E_RETRY},
	{"No route to host", BW_E_RETRY},
	{"Temporary failure in name resolution", BW_E_RETRY},
	{"Name or service not known", BW_E_RETRY},
	{"Empty reply from server", BW_E_RETRY},
	{"The requested URL returned error: 401", BW_E_AUTH},
	{"The requested URL returned error: 403", BW_E_AUTH},
	{"The requested URL returned error: 407", BW_E_AUTH},
	{"The requested URL returned error: 404", BW_E_GONE},
	{"The requested URL returned error: 410", BW_E_GONE},
	{"The requested URL returned error: 408", BW_E_RETRY},
	{"The requested URL returned error: 425", BW_E_RETRY},
	{"The requested URL returned error: 429", BW_E_RETRY},
	{"The requested URL returned error: 5", BW_E_RETRY},
	{"uthentication failed", BW_E_AUTH},
	{"could not read Username", BW_E_AUTH},
	{"could not read Password", BW_E_AUTH},
	{"Host key verification failed", BW_E_AUTH},
	{"Permission denied (", BW_E_AUTH}, /* of ssh: (publickey,password). */
	{"access denied or repository not exported", BW_E_GONE},
	{"epository not found", BW_E_GONE},
	{"' not found", BW_E_GONE},
	{"does not appear to be a git repository", BW_E_GONE},
	{"does not exist", BW_E_GONE},
	{"couldn't find remote ref", BW_E_RETRY}, /* the branch went while we looked */
	{"SSL certificate problem", BW_E_AUTH},
	{"certificate verification failed", BW_E_AUTH},
	{"remote end hung up", BW_E_RETRY},
	{"early EOF", BW_E_RETRY},
	{"transfer closed with", BW_E_RETRY},
	{"unexpected disconnect", BW_E_RETRY},
};

static enum bw_code classify(const char *said)
{
	for (size_t i = 0; i < BW_COUNT(faults); i++)
		if (strstr(said, faults[i].words))
			return faults[i].code;
	return BW_E_PEER;
}

/* What git says behind every failure of ssh and of the git protocol; the reason stands above it. */
static bool is_empty_talk(const char *line)
{
	return !*line || strstr(line, "Could not read from remote repository") ||
	       bw_text_starts(line, "Please make sure you have the correct access rights") ||
	       bw_text_starts(line, "and the repository exists") || bw_text_starts(line, "warning: ") ||
	       bw_text_starts(line, "hint: ");
}

/* The last fatal line that says something, else the last line that does; without git's own prefixes. */
static const char *pick_line(char *said)
{
	const char *last = "", *fatal = NULL;

	for (char *rest = said, *line; (line = strsep(&rest, "\n"));) {
		size_t len = strlen(line);

		while (len > 0 && (line[len - 1] == '\r' || line[len - 1] == ' '))
			line[--len] = '\0';
		if (is_empty_talk(line))
			continue;
		last = line;
		if (bw_text_starts(line, "fatal: "))
			fatal = line + strlen("fatal: ");
	}
	if (fatal)
		return fatal;
	if (bw_text_starts(last, "error: "))
		last += strlen("error: ");
	return *last ? last : "git said nothing about why";
}

/* Such a line repeats the proxy, and that may have a password in it, in whatever form somebody wrote it. */
static bool repeats_proxy(const char *line)
{
	return strcasestr(line, "unsupported proxy") || strcasestr(line, "invalid proxy");
}

int bw_gitfault(const char *said, const struct bw_giturl *u, struct bw_err *err)
{
	BW_AUTOFREE char *text = bw_strdup(said);
	BW_AUTOFREE char *line = NULL;
	enum bw_code code = classify(said);

	if (repeats_proxy(text))
		return bw_fail(err, BW_E_INPUT,
			       "its proxy, of the environment or of git's http.proxy, is no URL of one");
	bw_giturl_redact(text, u);
	line = bw_text_escaped(pick_line(text));
	return bw_fail(err, code, "%s", line);
}
