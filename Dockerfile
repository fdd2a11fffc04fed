# One image for worker and Flower; docker-compose.yml says which command runs.
FROM docker.io/library/python:3.13-slim

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /app

COPY requirements.lock ./
RUN pip install --no-deps --require-hashes -r requirements.lock

COPY pyproject.toml README.md celeryconfig.py ./
COPY producer producer
COPY worker worker
RUN pip install --no-deps . && useradd --system --uid 10001 completions
USER completions

# A warm shutdown waits for running calls: give the container longer than LLM_TIMEOUT_SECONDS to stop.
STOPSIGNAL SIGTERM
CMD ["celery", "-A", "worker", "worker", "-l", "INFO"]
