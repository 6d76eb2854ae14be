# One image for every process of the product: `helix web`, `helix worker`, `helix migrate`, ...
FROM python:3.11-slim AS build

WORKDIR /build
ENV PIP_NO_CACHE_DIR=1
COPY requirements-dev.lock ./
RUN pip install --require-hashes -r requirements-dev.lock
COPY pyproject.toml README.md LICENSE ./
COPY schema schema
COPY tenancy tenancy
COPY gateway gateway
COPY bot bot
COPY worker worker
RUN pip wheel --no-deps --no-build-isolation --wheel-dir /wheel .

FROM python:3.11-slim

# mariadb and mariadb-dump: a dealer's backup is made with them.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends mariadb-client \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /app --shell /usr/sbin/nologin helix

WORKDIR /app
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1

# What buyers send; web and worker containers share this volume, or a bucket in its place.
ENV MEDIA_STORE=/data/media
# Backups too, until BACKUP_STORE names a bucket: mount a volume that outlives this machine.
ENV BACKUP_STORE=/data/backups
RUN install --directory --owner=helix --mode=750 /data/media /data/backups

COPY requirements.lock ./
RUN pip install --require-hashes -r requirements.lock
COPY --from=build /wheel /wheel
RUN pip install --no-deps --no-index /wheel/*.whl

USER helix
EXPOSE 8000
CMD ["helix", "web"]
