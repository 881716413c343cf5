# syntax=docker/dockerfile:1
# One image for every process; compose.yaml says which of them runs. Nothing in it is written to when it runs, but for the volume of recordings.

FROM python:3.13-slim AS build
WORKDIR /app
RUN python -m venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH
COPY requirements.txt requirements-otel.txt requirements-mcp.txt ./
# Traces and MCP need more packages: docker compose build --build-arg WITH_TRACES=1 --build-arg WITH_MCP=1
ARG WITH_TRACES
ARG WITH_MCP
RUN pip install --no-cache-dir --require-hashes --only-binary :all: -r requirements.txt ${WITH_TRACES:+-r requirements-otel.txt} ${WITH_MCP:+-r requirements-mcp.txt}
COPY . ./
# The key signs nothing here: settings are refused without one.
RUN SECRET_KEY=not-a-secret-collects-static-files-and-nothing-else python manage.py collectstatic --no-input
# The data directory is made for its owner alone, and that is not who runs it.
RUN chmod -R a+rX /app
RUN python -m compileall -q config energy sessions_app summarization

FROM python:3.13-slim
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin holdline
# Where compose.yaml has a volume for what users upload, which takes its owner from here.
RUN install --directory --owner 10001 --group 10001 --mode 700 /recordings
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
WORKDIR /app
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD ["python", "-m", "config.healthcheck"]
CMD ["uvicorn", "--host", "0.0.0.0", "--port", "8000", "--timeout-graceful-shutdown", "10", "--ws-max-size", "524288", "--ws-per-message-deflate", "false", "config.asgi:application"]
