# One image for the API, the worker and the command line.
FROM python:3.11-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/build && python -m venv /opt/gatepass
WORKDIR /src
COPY requirements/build.txt requirements/runtime.txt requirements/
RUN /opt/build/bin/pip install --no-deps --require-hashes -r requirements/build.txt \
    && /opt/gatepass/bin/pip install --no-deps --require-hashes -r requirements/runtime.txt
COPY . .
RUN /opt/build/bin/pip wheel --no-build-isolation --no-deps --wheel-dir /dist . \
    && /opt/gatepass/bin/pip install --no-deps --no-index /dist/*.whl

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 --home-dir /nonexistent --shell /usr/sbin/nologin gatepass
COPY --from=build /opt/gatepass /opt/gatepass
RUN install -d -o gatepass -m 700 /var/lib/gatepass/objects
ENV PATH=/opt/gatepass/bin:$PATH PYTHONUNBUFFERED=1
USER gatepass
WORKDIR /opt/gatepass
EXPOSE 8000
CMD ["python", "-m", "api", "--host", "0.0.0.0", "--port", "8000"]
