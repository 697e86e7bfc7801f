#!/usr/bin/env bats
# The configuration: checked, shown, found, and the file that names the database. What it may hold is tested by the unit
# tests; here is that the program, the JSON Schema, the sample and the manual agree.

# shellcheck disable=SC2154,SC2034 # lib.bash sets and reads them
load lib

TOP=$BATS_TEST_DIRNAME/../..

setup() { it_begin; }
teardown() { it_end; }

@test "a good file is ok, in one line" {
  file c.yaml <<<"sources: [{path: ., name: here}]"
  bw config check --config "$IT/c.yaml"
  expect_status 0
  expect_same "$IT/c.yaml: ok: 1 source, 0 builds, 0 registries, 0 sinks, 0 rules" "$out"
  expect_same "" "$err"
}

@test "a bad file is 78, with every error and its place" {
  printf 'instance: a b\npoll:\n  evry: 1h\n  jitter: 10\nsinks: {ci: {type: webhook, url: "https://u:hunter2@h/", secrets: [hunter2]}}\n' | file c.yaml
  bw config check --config "$IT/c.yaml"
  expect_status 78
  expect_out "^$IT/c.yaml:1:11: instance: expected letters"
  expect_out "^$IT/c.yaml:3:3: poll.evry: unknown key; did you mean 'every'\?"
  expect_out "^$IT/c.yaml:4:11: poll.jitter: expected a percentage from 0% to 50%, got '10'; a number needs its '%'"
  expect_out "^$IT/c.yaml:5:34: sinks.ci.url: holds a user name or password"
  expect_out "^$IT/c.yaml:5:68: sinks.ci.secrets\[0\]: a secret may not stand in this file"
  expect_err "error: $IT/c.yaml: the configuration has 5 errors"
  expect_no_text hunter2
}

@test "what steers a terminal is shown escaped" {
  printf 'instance: "a\\e[31m"\n' | file c.yaml
  bw config check --config "$IT/c.yaml"
  expect_status 78
  expect_out "got 'a\\\\x1b\[31m'"
}

@test "files and secrets that are not there are warnings, a secret for everyone is an error" {
  file hook <<<'hunter2hunter2hunter2hunter2AAAA'
  chmod 604 "$IT/hook"
  file c.yaml <<'END'
sources: [{path: gone}]
sinks: {ci: {type: webhook, url: "https://h/", secrets: [{env: NOT_SET}]}}
END
  bw config check --config "$IT/c.yaml"
  expect_status 0
  expect_out "^$IT/c.yaml:1:18: warning: sources\[0\].path: $IT/gone cannot be read: No such file or directory$"
  expect_out "^$IT/c.yaml:2:58: warning: sinks.ci.secrets\[0\]: the environment variable NOT_SET is not set$"
  sed -i 's/env: NOT_SET/file: hook/' "$IT/c.yaml"
  bw config check --config "$IT/c.yaml"
  expect_status 78
  expect_out "^$IT/c.yaml:2:58: sinks.ci.secrets\[0\]: $IT/hook may be read by everyone"
  chmod 600 "$IT/hook"
  bw config check --config "$IT/c.yaml"
  expect_status 0
  expect_no_text hunter2
}

@test "what run would refuse is an error with its place, or said in the last line when it may be elsewhere" {
  file hook <<<'no base64'
  file good <<<'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
  file no.pem <<<'nothing'
  chmod 600 "$IT/hook" "$IT/good"
  file c.yaml <<'END'
sources:
  - {path: .}
  - git: "http://127.0.0.1:/x.git"
registries:
  reg.lan: {ca-file: no.pem}
  docker.io: {connections: 3, reserve: 20%, mirrors: ["https://m.lan/hub", "https://m.lan?user=x"]}
  own.lan: {cert-file: no.pem, key-file: no.pem}
sinks:
  ci: {type: webhook, url: "https://h/", secrets: [{file: good}, {file: hook}]}
  broker:
    type: mqtt
    url: mqtts://h
    ca-file: no.pem
END
  bw config check --config "$IT/c.yaml"
  expect_status 78
  expect_out "^$IT/c.yaml:3:10: sources\[1\].git: address of a git repository: the port is no number"
  expect_out "^$IT/c.yaml:5:22: registries.\"reg.lan\".ca-file: $IT/no.pem: cannot be read as a file of PEM"
  expect_out "^$IT/c.yaml:6:76: registries.\"docker.io\".mirrors\[1\]: the only query "
  expect_out "^$IT/c.yaml:7:24: registries.\"own.lan\".cert-file: $IT/no.pem: cannot be read"
  expect_out "^$IT/c.yaml:9:51: sinks.ci.secrets: secret 2: not base64"
  expect_out "^$IT/c.yaml:13:14: sinks.broker.ca-file: $IT/no.pem"
  expect_err "error: $IT/c.yaml: the configuration has 6 errors"
  sed -i '/^registries/,$d' "$IT/c.yaml"
  bw run --once --config "$IT/c.yaml" --db "$IT/db"
  expect_status 78
  expect_err 'error: sources\[1\].git: address of a git repository: the port'

  file c.yaml <<'END'
sources: [{path: .}]
sinks: {broker: {type: mqtt, url: "mqtts://h", ca-file: gone.pem}}
END
  bw config check --config "$IT/c.yaml"
  expect_status 0
  expect_out "^$IT/c.yaml:2:57: warning: sinks.broker.ca-file: $IT/gone.pem cannot be read: No such file or directory$"
  expect_same "$IT/c.yaml: \`basewatch run\` would refuse to start here: sinks broker: $IT/gone.pem: cannot be read as a file of PEM certificates" "$(tail -n 1 <<<"$out")"
  bw run --once --config "$IT/c.yaml" --db "$IT/db"
  expect_status 78
}

@test "registries and mirrors that are there twice, or mirror themselves, are errors, each with its place" {
  file c.yaml <<'END'
registries:
  docker.io:
    mirrors:
      - https://m.lan/hub
      - https://index.docker.io
      - https://m.lan:443/hub/
      - https://m.lan/v2
      - https://m.lan?ns=
      - https://docker.io/hub
  registry-1.docker.io: {connections: 3}
  reg.lan: {connections: 3}
  REG.lan:443: {connections: 3}
  reg.lan:5000: {helper: nosuch}
END
  bw config check --config "$IT/c.yaml"
  expect_status 78
  expect_out "^$IT/c.yaml:5:9: registries.\"docker.io\".mirrors\[1\]: this is the registry itself"
  expect_out "^$IT/c.yaml:6:9: registries.\"docker.io\".mirrors\[2\]: this mirror is in the list already"
  expect_out "^$IT/c.yaml:7:9: registries.\"docker.io\".mirrors\[3\]: leave out /v2"
  expect_out "^$IT/c.yaml:8:9: registries.\"docker.io\".mirrors\[4\]: \?ns= wants the name"
  expect_out "^$IT/c.yaml:10:25: registries.\"registry-1.docker.io\": this is docker.io, which has an entry already"
  expect_out "^$IT/c.yaml:12:16: registries.\"REG.lan:443\": this is reg.lan, which has an entry already"
  expect_out "^$IT/c.yaml:13:26: warning: registries.\"reg.lan:5000\".helper: there is no program docker-credential-nosuch in PATH"
  expect_err 'the configuration has 6 errors'
  printf 'sources: [{path: .}]\nregistries: {reg.lan: {connections: 3}, "reg.lan:443": {connections: 3}}\n' | file c.yaml
  bw run --once --config "$IT/c.yaml" --db "$IT/db"
  expect_status 78
  expect_err 'registries: reg.lan:443: this is reg.lan, which has an entry already'
}

@test "no file at all is fine, a file that was named has to be there" {
  bw config check
  expect_status 0
  expect_out '^there is no configuration file: every key has its default$'
  bw config show
  expect_status 0
  expect_same "$(<"$TOP/tests/golden/config-show-nothing.yaml")" "$out"
  bw config check --config "$IT/none.yaml"
  expect_status 66
  expect_err "there is no file $IT/none.yaml"
  for verb in check report "run --once" "config show"; do
    # shellcheck disable=SC2086 # words
    bw $verb --config "$IT/none.yaml"
    expect_status 66
  done
}

@test "the default file is found" {
  file config/basewatch/basewatch.yaml <<<'instance: mine'
  bw config show
  expect_status 0
  expect_out '^instance: mine$'
  bw config check
  expect_out "^$IT/config/basewatch/basewatch.yaml: ok"
}

@test "what is shown is a configuration, in YAML and in JSON" {
  cp "$TOP/config/basewatch.yaml" "$IT/c.yaml"
  bw config show --config "$IT/c.yaml"
  expect_status 0
  cp "$OUT" "$IT/shown.yaml"
  bw config show --config "$IT/c.yaml" --format json
  expect_status 0
  expect_json '.poll.every' 1h
  expect_json '.sinks.broker.password.env' MQTT_PASSWORD
  cp "$OUT" "$IT/shown.json"
  for format in yaml json; do
    bw config check --config "$IT/shown.$format"
    expect_status 0
    bw config show --config "$IT/shown.$format"
    cmp "$OUT" "$IT/shown.yaml"
  done
  bw config show --config "$IT/c.yaml" --format table
  expect_status 64
  expect_err "expected 'yaml' or 'json', got 'table'"
}

@test "wrong use of the command is 64" {
  for words in "" "list" "check show"; do
    # shellcheck disable=SC2086 # words
    bw config $words
    expect_status 64
    expect_err 'expected .config check. or .config show.'
  done
}

@test "state: names the folder of the database, after --db and before the environment" {
  file src/Dockerfile <<<'FROM scratch'
  file c.yaml <<<'state: lib'
  BW_ENV=("STATE_DIRECTORY=$IT/service")
  bw check --config "$IT/c.yaml" "$IT/src"
  expect_status 0
  [[ -f $IT/lib/basewatch.db && ! -e $IT/service ]]
  expect_same 700 "$(stat -c %a "$IT/lib")"
  bw report --config "$IT/c.yaml" "$IT/src"
  expect_status 0
  bw check --config "$IT/c.yaml" --db "$IT/x.db" "$IT/src"
  [[ -f $IT/x.db ]]
  file config/basewatch/basewatch.yaml <<<"state: $IT/other"
  bw check "$IT/src"
  [[ -f $IT/other/basewatch.db && ! -e $IT/service ]]
  file config/basewatch/basewatch.yaml <<<'instance: x'
  bw check "$IT/src"
  [[ -f $IT/service/basewatch.db ]]
}

@test "a bad configuration is 78 wherever it is read, and nothing is written" {
  file src/Dockerfile <<<'FROM scratch'
  file config/basewatch/basewatch.yaml <<<'stat: x'
  for verb in "check $IT/src" "report" "history" "done $IT/src" "forget $IT/src" "config show"; do
    # shellcheck disable=SC2086 # words
    bw $verb
    expect_status 78
    expect_err "error: $IT/config/basewatch/basewatch.yaml:1:1: stat: unknown key; did you mean 'state'\?"
    expect_err 'the configuration has 1 error$'
  done
  [[ ! -e $IT/state ]]
  # a check goes by its rules, wherever the database is; who only reads the database does not
  bw check "$IT/src" --db "$IT/y.db"
  expect_status 78
  bw history --db "$IT/y.db"
  expect_status 66
  bw check "$IT/src" --db "$IT/y.db" --config "$IT/config/basewatch/basewatch.yaml"
  expect_status 78
  [[ ! -e $IT/y.db ]]
}

@test "a file that cannot be read is 78" {
  file c.yaml <<<'{}'
  chmod 000 "$IT/c.yaml"
  bw_as_user config check --config "$IT/c.yaml"
  expect_status 78
  expect_out 'c.yaml: cannot be read: Permission denied'
}

# schema_says FILE: "ok" or the first problem that python3-jsonschema finds.
schema_says() {
  python3 - "$TOP/config/basewatch.schema.json" "$1" <<'END'
import json, sys, yaml
from jsonschema import Draft202012Validator
schema = json.load(open(sys.argv[1]))
Draft202012Validator.check_schema(schema)
document = yaml.safe_load(open(sys.argv[2]))
print(next((e.json_path + ": " + e.message for e in Draft202012Validator(schema).iter_errors(document if document is not None else {})), "ok"))
END
}

@test "the sample is valid for the program and for the schema" {
  bw config check --config "$TOP/config/basewatch.yaml"
  expect_status 0
  expect_same ok "$(schema_says "$TOP/config/basewatch.yaml")"
  expect_same ok "$(schema_says "$TOP/tests/golden/config-show.yaml")"
}

@test "the schema refuses what it can know to be wrong, and nothing that is right" {
  run python3 - "$TOP/config/basewatch.schema.json" "$TOP/tests/unit/config_errors.tsv" <<'END'
import codecs, json, sys, yaml
from jsonschema import Draft202012Validator
schema = Draft202012Validator(json.load(open(sys.argv[1])))
seen = wrong = 0
for line in open(sys.argv[2]):
    if line.startswith("#") or not line.strip():
        continue
    who, text, _ = line.rstrip("\n").split("\t")
    if who == "program":
        continue
    text = codecs.escape_decode(text.encode())[0].decode()
    refused = not schema.is_valid(yaml.safe_load(text))
    seen += 1
    if refused != (who == "both"):
        wrong += 1
        print("the schema %s: %s" % ("refuses" if refused else "accepts", text))
print(seen, "files,", wrong, "wrong")
sys.exit(bool(wrong) or seen < 60)
END
  echo "$output"
  [ "$status" -eq 0 ]
}

@test "every key of the schema is in the manual and in the sample" {
  local key count=0
  for key in $(jq -r '[.. | objects | select(has("additionalProperties")) | .properties // {} | keys[]] | unique[] | select(test("^[a-z-]+$"))' "$TOP/config/basewatch.schema.json"); do
    grep -qE "(^|[ {])$key:" "$TOP/config/basewatch.yaml" || { echo "$key is not in the sample" && return 1; }
    sed 's/\\-/-/g' "$TOP/contrib/man/basewatch.yaml.5" | grep -qE "(^\.B (match\.)?$key$|\{$key:|^\.SS $key$)" || { echo "$key is not in the manual" && return 1; }
    count=$((count + 1))
  done
  [ "$count" -ge 40 ]
}

@test "the formatter has nothing to say about basewatch.yaml(5)" {
  command -v groff >/dev/null || skip "groff is not installed"
  run groff -ww -man -Tutf8 -z "$TOP/contrib/man/basewatch.yaml.5"
  echo "$output"
  [ "$status" -eq 0 ] && [ -z "$output" ]
}
