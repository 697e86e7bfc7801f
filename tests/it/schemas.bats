# schemas.bats - the JSON Schemas are valid and strict, and what the program writes keeps to them.

setup_file() { cd "$BATS_TEST_DIRNAME/../.." || return 1; }
setup() { cd "$BATS_TEST_DIRNAME/../.." || return 1; }

validate() { python3 tests/validate_json.py "$@"; }
schema_of() { echo "config/basewatch-$1.schema.json"; }

# must_fail KIND FILE PYTHON WANTED: the document, changed by a line of Python (d is the document), is refused for WANTED.
must_fail() {
  local changed
  changed=$(python3 -c 'import json, sys; d = json.load(open(sys.argv[1])); exec(sys.argv[2]); print(json.dumps(d))' "$2" "$3")
  run validate "$(schema_of "$1")" <<<"$changed"
  [ "$status" -eq 1 ] || { echo "accepted after: $3" && return 1; }
  [[ $output == *"$4"* ]] || { echo "after: $3"; echo "wanted: $4"; echo "got: $output"; return 1; }
}

@test "each schema is valid, closed and described" {
  run validate --schema config/basewatch-*.schema.json
  echo "$output"
  [ "$status" -eq 0 ]
}

@test "each golden document keeps to its schema" {
  local kind count=0
  for kind in scan report history resolve state doctor; do
    for file in tests/golden/"$kind"-*.json; do
      run validate "$(schema_of "$kind")" "$file"
      echo "$output"
      [ "$status" -eq 0 ]
      count=$((count + 1))
    done
  done
  [ "$count" -ge 8 ]
}

@test "a report that breaks a promise is refused" {
  local doc=tests/golden/report-everything.json
  must_fail report $doc 'd["version"] = 2' '$.version: 1 was expected'
  must_fail report $doc 'd["more"] = 1' "'more' was unexpected"
  must_fail report $doc 'd["bases"][0]["more"] = 1' "'more' was unexpected"
  must_fail report $doc 'd["bases"][0]["uses"][0]["more"] = 1' "'more' was unexpected"
  must_fail report $doc 'del d["bases"][0]["class"]' "'class' is a required property"
  must_fail report $doc 'd["bases"][0]["verdict"] = "good"' '$.bases[0].verdict: '
  must_fail report $doc 'd["bases"][0]["digest"] = "sha256:12"' '$.bases[0].digest: '
  must_fail report $doc 'd["bases"][0]["since"] = "yesterday"' '$.bases[0].since: '
  must_fail report $doc 'd["bases"][0]["uses"][0]["role"] = None' '$.bases[0].uses[0].role: '
  must_fail report $doc 'd["other"][0]["role"] = "base"' '$.other[0].role: '
  must_fail report $doc 'd["bases"][0]["uses"][0]["line"] = 0' '$.bases[0].uses[0].line: '
  must_fail report $doc 'del d["summary"]["ignored"]' "'ignored' is a required property"
  must_fail report $doc 'del d["bases"][0]["next_check"]' "'next_check' is a required property"
  must_fail report tests/golden/report-outlook.json 'd["bases"][0]["next_check"]["at"] = None' '$.bases[0].next_check: '
  must_fail report tests/golden/report-outlook.json 'd["registries"][0]["pause"] = "tired"' '$.registries[0].pause: '
  must_fail report tests/golden/report-outlook.json 'd["registries"][0]["more"] = 1' "'more' was unexpected"
}

@test "a scan, a history and a resolve that break a promise are refused" {
  must_fail scan tests/golden/scan-everything.json 'd["files"][0]["uses"][0]["reachable"] = "yes"' '.reachable: '
  must_fail scan tests/golden/scan-everything.json 'del d["files"][0]["uses"][0]["expanded"]' "'expanded' is a required"
  must_fail scan tests/golden/scan-everything.json 'd["files"][0]["uses"][0]["tag"] = "a/b"' '.tag: '
  must_fail history tests/golden/history-everything.json 'd["bases"][0]["sightings"][0]["class"] = "other"' '.class: '
  must_fail history tests/golden/history-everything.json 'd["bases"][0]["sightings"] = []' '.sightings: '
  must_fail resolve tests/golden/resolve-everything.json 'd["images"][0]["digest"] = ""' '.digest: '
  must_fail resolve tests/golden/resolve-everything.json 'd["images"][0]["more"] = 1' "'more' was unexpected"
}

@test "a state that breaks a promise is refused" {
  must_fail state tests/golden/state-base-stale.json 'd["state"] = "bad"' 'is not valid under any of the given schemas'
  must_fail state tests/golden/state-base-stale.json 'del d["trouble"]' 'is not valid under any of the given schemas'
  must_fail state tests/golden/state-build-stale.json 'd["bases"][0]["more"] = 1' 'is not valid under any of the given schemas'
  must_fail state tests/golden/state-build-stale.json 'd["id"] = "shop"' 'is not valid under any of the given schemas'
}

@test "a doctor that breaks a promise is refused" {
  must_fail doctor tests/golden/doctor-everything.json 'd["findings"][0]["level"] = "fine"' '$.findings[0].level: '
  must_fail doctor tests/golden/doctor-everything.json 'd["findings"][0]["area"] = "house"' '$.findings[0].area: '
  must_fail doctor tests/golden/doctor-everything.json 'd["findings"][0]["more"] = 1' "'more' was unexpected"
  must_fail doctor tests/golden/doctor-everything.json 'del d["findings"][0]["advice"]' "'advice' is a required property"
  must_fail doctor tests/golden/doctor-everything.json 'd["findings"][0]["subject"] = ""' '$.findings[0].subject: '
  must_fail doctor tests/golden/doctor-everything.json 'del d["summary"]["note"]' "'note' is a required property"
}

@test "the validator itself refuses what is no JSON, two members of one name, and wrong use" {
  run validate "$(schema_of resolve)" <<<'{"version":1,'
  [ "$status" -eq 1 ] && [[ $output == "standard input: not JSON: "* ]]
  run validate "$(schema_of resolve)" <<<'{"version":1,"version":1,"images":[]}'
  [ "$status" -eq 1 ] && [[ $output == *"member version is there twice"* ]]
  run validate "$(schema_of resolve)" < <(printf '{"version":1,"images":[]}')
  [ "$status" -eq 1 ] && [[ $output == *"does not end with a line feed"* ]]
  run validate "$(schema_of resolve)" <<<'{"version":1,"images":[]}'
  [ "$status" -eq 0 ] && [ -z "$output" ]
  run validate
  [ "$status" -eq 2 ]
}
