# One image for worker, http and Flower; docker-compose.yml says which command runs. Nothing is fetched at run time: the tokenizers'
# vocabularies are inside their wheel.
FROM docker.io/library/python:3.13-slim AS build

ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /src
RUN python -m venv /opt/venv
COPY requirements.lock ./
RUN /opt/venv/bin/pip install --no-deps --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY celery_completions celery_completions
COPY producer producer
COPY worker worker
RUN /opt/venv/bin/pip install --no-deps .

FROM docker.io/library/python:3.13-slim

RUN useradd --uid 10001 completions
COPY --from=build /opt/venv /opt/venv
WORKDIR /app
RUN mkdir /data && chown completions /data
COPY flowerconfig.py deploy/worker.sh ./

# The root file system may be read-only: nothing is written but to /tmp.
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER completions

# A warm stop waits for running calls: give the container longer than LLM_TIMEOUT_SECONDS.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=60s --timeout=20s --start-period=30s CMD celery -A worker inspect ping -t 10 -d "celery@$(hostname)" || exit 1
CMD ["sh", "/app/worker.sh"]
