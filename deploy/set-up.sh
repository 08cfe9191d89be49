#!/bin/sh
# What Prefect's server must know once; run again, it changes nothing but the deployments, which are written anew.
set -eu
: "${PREFECT_API_URL:?is not set: it is the address of Prefect's server, and without it nothing would be told to that}"
cd /opt/nishiki
for pool in cpu gpu; do
	prefect --no-prompt work-pool create --type process --overwrite "$pool"
done
prefect --no-prompt deploy --all --prefect-file deploy/prefect.yaml
prefect automation inspect "nishiki, a run that died is Crashed" >/dev/null 2>&1 ||
	prefect --no-prompt automation create --from-file deploy/automations/runs.yaml
