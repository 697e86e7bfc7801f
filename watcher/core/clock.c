/* clock.c - see clock.h. Calendar arithmetic is our own: the C library's depends on the locale and the time
 * zone. */
#include "core/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define MS_PER_DAY INT64_C(86400000)

/* Years that four digits can show; times outside are clamped when formatted and refused when parsed. */
#define MIN_MS INT64_C(-62167219200000) /* 0000-01-01T00:00:00.000Z */
#define MAX_MS INT64_C(253402300799999) /* 9999-12-31T23:59:59.999Z */

static int64_t fixed_ms; /* 0: the real clock */

struct civil {
	int year, month, day, hour, minute, second;
};

int64_t bw_clock_ms(void)
{
	struct timespec now;

	if (fixed_ms != 0)
		return fixed_ms;
	if (clock_gettime(CLOCK_REALTIME, &now) < 0)
		return 0;
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void bw_clock_set(int64_t ms)
{
	fixed_ms = ms;
}

static bool is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_in_month(int year, int month)
{
	static const signed char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

/* Leap days in the years 0 .. year-1 (year >= 0; the year 0 is a leap year). */
static int64_t leap_days_before(int64_t year)
{
	if (year <= 0)
		return 0;
	year--;
	return year / 4 - year / 100 + year / 400 + 1;
}

/* Days since 1970-01-01 of the first of January of `year`; 719,528 days lie between the year 0 and 1970. */
static int64_t days_before_year(int64_t year)
{
	return year * 365 + leap_days_before(year) - 719528;
}

static int64_t civil_to_ms(const struct civil *c)
{
	int64_t days = days_before_year(c->year) + c->day - 1;

	for (int month = 1; month < c->month; month++)
		days += days_in_month(c->year, month);
	return ((days * 24 + c->hour) * 60 + c->minute) * 60000 + (int64_t)c->second * 1000;
}

static void ms_to_civil(int64_t ms, struct civil *ret)
{
	int64_t days, rest;
	int year;

	ms = ms < MIN_MS ? MIN_MS : ms > MAX_MS ? MAX_MS : ms;
	days = (ms - MIN_MS) / MS_PER_DAY + days_before_year(0);
	rest = (ms - MIN_MS) % MS_PER_DAY / 1000;

	/* A guess that is at most one year off: 400 years have exactly 146,097 days. */
	year = (int)((days - days_before_year(0)) * 400 / 146097);
	while (days_before_year(year) > days)
		year--;
	while (days_before_year(year + 1) <= days)
		year++;
	days -= days_before_year(year);
	*ret = (struct civil){.year = year, .month = 1};
	while (days >= days_in_month(year, ret->month))
		days -= days_in_month(year, ret->month++);
	ret->day = (int)days + 1;
	ret->hour = (int)(rest / 3600);
	ret->minute = (int)(rest / 60 % 60);
	ret->second = (int)(rest % 60);
}

const char *bw_time_format(int64_t ms, char out[BW_TIME_MAX])
{
	struct civil c;

	ms_to_civil(ms, &c);
	(void)snprintf(out, BW_TIME_MAX, "%04u-%02u-%02uT%02u:%02u:%02uZ", (unsigned)c.year % 10000,
		       (unsigned)c.month % 100, (unsigned)c.day % 100, (unsigned)c.hour % 100,
		       (unsigned)c.minute % 100, (unsigned)c.second % 100);
	return out;
}

const char *bw_time_short(int64_t ms, char out[BW_TIME_MAX])
{
	bw_time_format(ms, out);
	out[10] = ' ';
	out[16] = '\0';
	return out;
}

/* The parsers walk a cursor over the text; each step returns false at the first byte that does not fit. */

static bool digits(const char **at, int count, int *ret)
{
	int n = 0;

	for (int i = 0; i < count; i++) {
		char c = (*at)[i];

		if (c < '0' || c > '9')
			return false;
		n = n * 10 + (c - '0');
	}
	*at += count;
	*ret = n;
	return true;
}

static bool literal(const char **at, const char *text)
{
	size_t len = strlen(text);

	if (strncmp(*at, text, len) != 0)
		return false;
	*at += len;
	return true;
}

static bool hms(const char **at, struct civil *c)
{
	return digits(at, 2, &c->hour) && literal(at, ":") && digits(at, 2, &c->minute) && literal(at, ":") &&
	       digits(at, 2, &c->second);
}

/* 60 is a leap second (RFC 3339 5.6); arithmetic makes it the first second of the next minute. */
static bool is_valid(const struct civil *c)
{
	return c->month >= 1 && c->month <= 12 && c->day >= 1 && c->day <= days_in_month(c->year, c->month) &&
	       c->hour <= 23 && c->minute <= 59 && c->second <= 60;
}

/* ".123456": milliseconds count, more digits are dropped. */
static bool fraction(const char **at, int *ret_ms)
{
	int scale = 100;

	*ret_ms = 0;
	if (**at != '.')
		return true;
	(*at)++;
	if (**at < '0' || **at > '9')
		return false;
	for (; **at >= '0' && **at <= '9'; (*at)++, scale /= 10)
		*ret_ms += (**at - '0') * scale;
	return true;
}

/* "Z" or "+02:00", in minutes. */
static bool zone(const char **at, int *ret_minutes)
{
	int sign, hour, minute;

	if (literal(at, "Z") || literal(at, "z")) {
		*ret_minutes = 0;
		return true;
	}
	if (**at != '+' && **at != '-')
		return false;
	sign = *(*at)++ == '-' ? -1 : 1;
	if (!digits(at, 2, &hour) || !literal(at, ":") || !digits(at, 2, &minute) || hour > 23 || minute > 59)
		return false;
	*ret_minutes = sign * (hour * 60 + minute);
	return true;
}

bool bw_time_parse(const char *s, int64_t *ret_ms)
{
	struct civil c = {0};
	int offset_minutes, ms;

	if (!digits(&s, 4, &c.year) || !literal(&s, "-") || !digits(&s, 2, &c.month) || !literal(&s, "-") ||
	    !digits(&s, 2, &c.day))
		return false;
	if (*s == '\0') {
		if (!is_valid(&c))
			return false;
		*ret_ms = civil_to_ms(&c);
		return true;
	}
	if (*s != 'T' && *s != 't' && *s != ' ')
		return false;
	s++;
	if (!hms(&s, &c) || !fraction(&s, &ms) || !zone(&s, &offset_minutes) || *s || !is_valid(&c))
		return false;
	*ret_ms = civil_to_ms(&c) + ms - INT64_C(60000) * offset_minutes;
	return true;
}

static bool month_name(const char **at, int *ret)
{
	static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

	for (int i = 0; i < 12; i++) {
		if (strncmp(*at, names + (size_t)i * 3, 3) == 0) {
			*at += 3;
			*ret = i + 1;
			return true;
		}
	}
	return false;
}

/* " 06 Nov 1994 08:49:37 GMT", the form that everybody sends today. */
static bool imf_fixdate(const char *s, struct civil *c)
{
	return literal(&s, " ") && digits(&s, 2, &c->day) && literal(&s, " ") && month_name(&s, &c->month) &&
	       literal(&s, " ") && digits(&s, 4, &c->year) && literal(&s, " ") && hms(&s, c) &&
	       literal(&s, " GMT") && !*s;
}

/* " 06-Nov-94 08:49:37 GMT"; a year more than 50 years ahead is the past one (RFC 9110 5.6.7). */
static bool rfc850_date(const char *s, struct civil *c)
{
	struct civil now;

	if (!literal(&s, " ") || !digits(&s, 2, &c->day) || !literal(&s, "-") || !month_name(&s, &c->month) ||
	    !literal(&s, "-") || !digits(&s, 2, &c->year) || !literal(&s, " ") || !hms(&s, c) ||
	    !literal(&s, " GMT") || *s)
		return false;
	ms_to_civil(bw_clock_ms(), &now);
	c->year += now.year / 100 * 100;
	if (c->year > now.year + 50)
		c->year -= 100;
	return true;
}

/* " Nov  6 08:49:37 1994" */
static bool asctime_date(const char *s, struct civil *c)
{
	if (!literal(&s, " ") || !month_name(&s, &c->month) || !literal(&s, " "))
		return false;
	if (literal(&s, " ")) {
		if (!digits(&s, 1, &c->day))
			return false;
	} else if (!digits(&s, 2, &c->day)) {
		return false;
	}
	return literal(&s, " ") && hms(&s, c) && literal(&s, " ") && digits(&s, 4, &c->year) && !*s;
}

/* The name of the day is not checked: it says nothing that the date does not. */
bool bw_time_parse_http(const char *s, int64_t *ret_ms)
{
	size_t day_name = strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");
	const char *rest = s + day_name;
	struct civil c = {0};
	bool ok;

	if (day_name < 3)
		return false;
	if (*rest == ',') {
		ok = imf_fixdate(rest + 1, &c);
		if (!ok)
			ok = rfc850_date(rest + 1, &c);
	} else {
		ok = asctime_date(rest, &c);
	}
	if (!ok || c.year < 0 || !is_valid(&c))
		return false;
	*ret_ms = civil_to_ms(&c);
	return true;
}
