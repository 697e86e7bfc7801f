#include "buildfile/plan.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/mem.h"

static void stage_done(struct bw_stage *s)
{
	free(s->name);
	free(s->platform_word);
	free(s->platform);
	free(s->platform_failure);
	bw_buf_done(&s->base_text);
}

void bw_plan_done(struct bw_plan *p)
{
	for (size_t i = 0; i < p->stage_count; i++)
		stage_done(&p->stages[i]);
	for (size_t i = 0; i < p->site_count; i++) {
		free(p->sites[i].memory);
		free(p->sites[i].failure);
	}
	for (size_t i = 0; i < p->arg_count; i++) {
		free(p->args[i].name);
		free(p->args[i].value);
	}
	for (size_t i = 0; i < p->note_count; i++)
		free(p->notes[i].note.reason);
	for (size_t i = 0; i < p->trigger_error_count; i++)
		free(p->trigger_errors[i].text);
	free(p->stages);
	free(p->sites);
	free(p->args);
	free(p->notes);
	free(p->trigger_errors);
	*p = (struct bw_plan){0};
}

size_t bw_plan_sites_end(const struct bw_plan *p, size_t i)
{
	if (i + 1 == p->stage_count)
		return p->site_count;
	return p->stages[i + 1].from != BW_NOWHERE ? p->stages[i + 1].from : p->stages[i + 1].sites;
}

BW_PRINTF(1, 0) static char *format(const char *fmt, va_list ap)
{
	char text[BW_ERR_MAX];

	(void)vsnprintf(text, sizeof(text), fmt, ap);
	return bw_strdup(text);
}

void bw_plan_error(struct bw_dockerfile *d, uint32_t line, const char *fmt, ...)
{
	va_list ap;

	if (d->error && (line == 0 || (d->error_line != 0 && d->error_line <= line)))
		return;
	free(d->error);
	va_start(ap, fmt);
	d->error = format(fmt, ap);
	va_end(ap);
	d->error_line = line;
}

void bw_plan_warn(struct bw_dockerfile *d, uint32_t line, const char *fmt, ...)
{
	va_list ap;

	/* Warnings are rare: the array grows one by one, doubling at powers of two. */
	if ((d->warning_count & (d->warning_count - 1)) == 0)
		d->warnings = bw_realloc(d->warnings, d->warning_count ? d->warning_count * 2 : 1,
					 sizeof(*d->warnings));
	va_start(ap, fmt);
	d->warnings[d->warning_count++] = (struct bw_warning){.line = line, .text = format(fmt, ap)};
	va_end(ap);
}
