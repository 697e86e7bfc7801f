"""structure.py - TAP: does the source keep the rules of the house? (contrib/HACKING.md)

Each check returns the places that break its rule. Works on the text, after comments and strings are blanked out.
"""
import glob
import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

# A room may include itself and exactly these.
ROOMS = {
    "core": set(),
    "image": {"core"},
    "buildfile": {"core", "image"},
    "net": {"core"},
    "config": {"core"},
    "source": {"core", "image", "buildfile", "net"},
    "registry": {"core", "image", "net"},
    "store": {"core", "image", "buildfile"},
    "watch": {"core", "image", "buildfile", "net", "source", "registry", "store"},
    "notify": {"core", "net", "store"},
    "report": {"core", "image", "buildfile", "store"},
}
ROOMS["daemon"] = set(ROOMS)
ROOMS["command"] = set(ROOMS) | {"command"}

# A library's header comes in by one door: (header, where it may be included, in how many files at most).
DOORS = [
    ("curl/curl.h", "watcher/net/", 2),
    ("uthash.h", "watcher/core/map.c", 1),
    ("mosquitto.h", "watcher/net/", 1),
    ("yaml.h", "watcher/config/", 1),
    ("sqlite3.h", "watcher/store/", None),
    ("uv.h", "watcher/net/", None),
]

# No bounds, no error result, dependent on the locale or the time zone, or a way around our own doors.
BANNED = (
    "strcpy strcat stpcpy sprintf vsprintf strtok gets atoi atol atof strtol strtoll strtoul strtoull system popen "
    "localtime gmtime asctime ctime alloca signal setlocale"
).split()

TOP = set(
    ".ci .clang-format .clang-tidy .editorconfig .gitignore LICENSE Makefile README.md config contrib include tests "
    "watcher".split()
)

MAX_FUNCTION, LONG_FUNCTION, MAX_LONG_PERCENT = 80, 60, 5
MAX_COMPLEXITY, MAX_PARAMETERS = 20, 8
MAX_SOURCE, MAX_HEADER = 900, 200


def find(*patterns):
    return sorted(f for p in patterns for f in glob.glob(p, recursive=True))


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


TOKEN = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


def blank(text):
    """The text without what comments and literals say; offsets of lines stay."""
    return TOKEN.sub(lambda m: re.sub(r"[^\n]", " ", m.group()), text)


PROGRAM = find("watcher/**/*.c", "watcher/**/*.h", "include/**/*.h")
HEADERS = find("watcher/**/*.h", "include/**/*.h")


def includes(path):
    for number, line in enumerate(read(path).splitlines(), 1):
        m = re.match(r'\s*#\s*include\s*([<"])([^>"]+)', line)
        if m:
            yield number, m.group(1), m.group(2)


def check_layers():
    for path in PROGRAM:
        parts = path.split("/")
        room = parts[1] if len(parts) > 2 else "main"
        if room != "main" and room not in ROOMS:
            yield f"{path}: there is no room {room}"
            continue
        allowed = set(ROOMS) if room == "main" else ROOMS[room] | {room}
        for number, quote, name in includes(path):
            if quote == "<":
                continue
            other = name.split("/")[0] if "/" in name else room
            if other not in allowed:
                yield f"{path}:{number}: {room} may not include {name}"
            if "/" not in name and not os.path.exists(os.path.join(os.path.dirname(path), name)):
                yield f"{path}:{number}: {name} is not beside this file; write room/module.h"
            if name.startswith(room + "/") or "/" not in name:
                continue
            if not os.path.exists("include/" + name):
                yield f"{path}:{number}: {name} is private to its room"


def check_doors():
    for header, where, most in DOORS:
        users = [p for p in PROGRAM if any(name == header for _, _, name in includes(p))]
        for path in users:
            if not path.startswith(where):
                yield f"{path}: only {where} includes {header}"
        if most and len(users) > most:
            yield f"{header} is included by {', '.join(users)}: {most} of them are enough"


def check_banned():
    call = re.compile(r"(?<![\w.>])(" + "|".join(BANNED) + r")\s*\(")
    leave = re.compile(r"(?<![\w.>])exit\s*\(")
    for path in PROGRAM:
        for number, line in enumerate(blank(read(path)).splitlines(), 1):
            m = call.search(line)
            if m:
                yield f"{path}:{number}: {m.group(1)}() is banned"
            if path != "watcher/main.c" and leave.search(line):
                yield f"{path}:{number}: only main.c exits"


def functions(path):
    """(line, name, parameters, lines, complexity) of each function; our format puts its braces in column 0."""
    lines = blank(read(path)).splitlines()
    at = 0
    while at < len(lines):
        if lines[at] != "{":
            at += 1
            continue
        first, last = at, at
        while first > 0 and re.match(r"[\w\s(]", lines[first - 1]) and lines[first - 1].strip():
            first -= 1
        while last < len(lines) and not lines[last].startswith("}"):
            last += 1
        head = " ".join(lines[first:at])
        m = re.search(r"(\w+)\s*\((.*)\)", head)
        body = "\n".join(lines[at:last])
        branches = re.findall(r"\b(?:if|for|while|case)\b|&&|\|\||\?", body)
        yield (
            first + 1,
            m.group(1) if m else head,
            parameters(m.group(2) if m else ""),
            last - first + 1,
            1 + len(branches),
        )
        at = last + 1


def parameters(text):
    depth = count = 0
    for c in text:
        depth += (c == "(") - (c == ")")
        count += c == "," and depth == 0
    return 0 if text.strip() in ("", "void") else count + 1


def all_functions():
    for path in find("watcher/**/*.c"):
        for f in functions(path):
            yield (path,) + f


def check_function_sizes():
    found = list(all_functions())
    long = [f for f in found if f[4] > LONG_FUNCTION]
    for path, line, name, _, size, _ in found:
        if size > MAX_FUNCTION:
            yield f"{path}:{line}: {name}() has {size} lines, at most {MAX_FUNCTION}"
    if len(long) * 100 > MAX_LONG_PERCENT * len(found):
        yield f"{len(long)} of {len(found)} functions have more than {LONG_FUNCTION} lines"
        for path, line, name, _, size, _ in long:
            yield f"  {path}:{line}: {name}() {size}"


def check_complexity():
    for path, line, name, _, _, complexity in all_functions():
        if complexity > MAX_COMPLEXITY:
            yield f"{path}:{line}: {name}() has complexity {complexity}, at most {MAX_COMPLEXITY}"


def check_parameters():
    for path, line, name, count, _, _ in all_functions():
        if count > MAX_PARAMETERS:
            yield f"{path}:{line}: {name}() has {count} parameters, at most {MAX_PARAMETERS}"


def check_file_sizes():
    for path in PROGRAM:
        most = MAX_HEADER if path.endswith(".h") else MAX_SOURCE
        size = len(read(path).splitlines())
        if size > most:
            yield f"{path} has {size} lines, at most {most}"


def check_headers():
    """Each header compiles alone: nobody has to know what to include before it."""
    flags = "-std=gnu11 -D_GNU_SOURCE -Iinclude -Iwatcher -Wall -Wextra -Werror -fsyntax-only -x c".split()
    flags += os.environ.get("PC_CFLAGS", "").split()
    cc = os.environ.get("CC", "cc")

    def alone(path):
        r = subprocess.run([cc, *flags, "-include", path, "/dev/null"], capture_output=True, text=True)
        return r.stderr.strip().splitlines()[:5] if r.returncode else []

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for lines in pool.map(alone, HEADERS):
            yield from lines


def check_guards():
    for path in HEADERS:
        room, name = path.split("/")[-2:]
        guard = "BW_" + re.sub(r"\W", "_", room + "_" + name).upper()
        if f"#ifndef {guard}\n#define {guard}\n" not in read(path):
            yield f"{path}: the guard is not {guard}"


def check_pairs():
    """A public header has its source: include/image/reference.h and watcher/image/reference.c, or reference_*.c."""
    for path in find("include/**/*.h"):
        source = path.replace("include/", "watcher/", 1)[:-2]
        if has_functions(path) and not find(source + ".c", source + "_*.c"):
            yield f"{path} has no {source}.c"


def has_functions(path):
    return re.search(r"^\w[\w\s*]*\bbw_\w+\(", blank(read(path)), re.M) is not None


def check_version():
    version = re.search(r'BW_VERSION "([^"]+)"', read("include/core/version.h")).group(1)
    for path in PROGRAM + find("Makefile", "contrib/*.*", "contrib/man/*"):
        if path == "include/core/version.h" or not os.path.isfile(path):
            continue
        for number, line in enumerate(read(path).splitlines(), 1):
            if re.search(r"basewatch[ -]v?" + re.escape(version) + r"\b", line) or "define BW_VERSION" in line:
                yield f"{path}:{number}: the version stands in include/core/version.h only"


def check_top():
    try:
        command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
        listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
        entries = {f.split("/")[0] for f in listed if os.path.exists(f)}
    except (OSError, subprocess.CalledProcessError):
        entries = set(os.listdir(".")) - {".git", "build"}
    for name in sorted(entries - TOP):
        yield f"{name} does not belong into the top folder"
    for name in sorted(TOP - entries):
        yield f"{name} is missing in the top folder"


CHECKS = [
    ("rooms include lower floors only", check_layers),
    ("libraries come in by one door each", check_doors),
    ("no banned function is called", check_banned),
    ("each header compiles alone", check_headers),
    ("header guards are named after the file", check_guards),
    ("headers have their sources", check_pairs),
    ("functions are short", check_function_sizes),
    ("functions are simple", check_complexity),
    ("functions have few parameters", check_parameters),
    ("files are short", check_file_sizes),
    ("the version stands in one place", check_version),
    ("the top folder holds what it shall", check_top),
]


def self_test():
    """The rules must be able to fail: a file that breaks each of the textual ones."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "x.c")
        body = "\tif (a && b)\n\t\treturn;\n" * 50
        with open(path, "w", encoding="utf-8") as f:
            f.write("/* { strcpy( */\nstatic int\nlong_one(int a, int (*f)(int, int),\n\t int c)\n{\n" + body + "}\n")
        found = list(functions(path))
        assert found == [(2, "long_one", 3, 105, 101)], found
    assert "strcpy" not in blank("/* strcpy( */ \"strcpy(\" // strcpy(")


def main():
    self_test()
    failed = 0
    for number, (name, check) in enumerate(CHECKS, 1):
        places = list(check())
        failed += bool(places)
        print(f"{'not ok' if places else 'ok'} {number} - {name}")
        for place in places[:40]:
            print(f"# {place}")
    print(f"1..{len(CHECKS)}")
    sys.exit(bool(failed))


main()
