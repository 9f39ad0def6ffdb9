#!/usr/bin/env bash
# The nightly job of a data team, with curl alone: load what is new, check the receipt, save a report as CSV.
#   WAREHOUSE_URL=http://127.0.0.1:3000 WAREHOUSE_API_KEY=spk_... examples/load-and-report.sh report.csv
# Ends with 1 and says why when anything fails. Run it as often as you like: nothing is loaded twice.
set -euo pipefail
url=${WAREHOUSE_URL:-http://127.0.0.1:3000}
report=${1:-report.csv}

# The key goes in by standard input, so that no list of processes shows it. `--fail-with-body` prints the problem document.
call() {
  curl --silent --show-error --fail-with-body --retry 4 --config - "$@" <<<"header = \"Authorization: Bearer $WAREHOUSE_API_KEY\""
}
# The first value of a name in a JSON document; take jq where you have it.
value_of() { sed -nE "s/.*\"$1\":\"?([^\",}]*)\"?.*/\1/p" | head -n 1; }

call --output /dev/null --request PUT --header 'Prefer: wait=60' --json '{}' "$url/v1/cluster"
call --output /dev/null --header 'Prefer: wait=60' --json '{}' "$url/v1/tables"

# One key a day: sent again after a lost answer, it gives the same job.
job=$(call --header "Idempotency-Key: nightly-$(date -u +%F)" --json '{"type":"etl"}' "$url/v1/jobs" |
  sed -nE 's/.*"id":"(job_[0-9a-f]+)".*/\1/p')
status=queued
while [[ $status == queued || $status == running ]]; do
  answer=$(call --header 'Prefer: wait=30' "$url/v1/jobs/$job")
  status=$(grep -oE '"status":"(queued|running|cancelling|succeeded|failed|cancelled)"' <<<"$answer" | head -n 1 | cut -d'"' -f4)
done
if [[ $status != succeeded ]]; then
  echo "The load $job $status: $answer" >&2
  exit 1
fi

# The version of the data that the load has made, or found: the report is asked for at that version or later.
version=$(call "$url/v1/loads?limit=1" | value_of data_version)
call --header 'Prefer: wait=30' --output "$report" \
  "$url/v1/analytics/top-songs/results?format=csv&limit=100&min_data_version=$version"
echo "$job succeeded; $report has $(($(wc -l <"$report") - 1)) songs at data version $version"
