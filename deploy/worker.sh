#!/bin/sh
# Starts the worker of the image. Without LLM_CHAIN every vendor with a key is a link of the chain;
# without any key the simulator answers. Keys in files or in a secret manager are not known here, so
# with those settings the worker decides.
set -eu
if [ -z "${LLM_CHAIN:-}${LLM_PROVIDER:-}${LLM_SECRETS_DIR:-}${LLM_SECRET_MANAGER:-}" ]; then
    chain=""
    [ -z "${OPENAI_API_KEY:-}" ] || chain="$chain,openai"
    [ -z "${ANTHROPIC_API_KEY:-}" ] || chain="$chain,anthropic"
    [ -z "${GOOGLE_API_KEY:-}" ] || chain="$chain,gemini"
    chain="${chain#,}"
    export LLM_CHAIN="${chain:-simulator:sim-small}"
    echo "LLM_CHAIN=$LLM_CHAIN (from the keys that are set)" >&2
fi
exec celery -A worker worker -l INFO "$@"
