# One small image with the one binary in it.
#
#   docker build -t duplex .
#   docker run -p 3000:3000 -v duplex-data:/data duplex

FROM rust:1-bookworm AS build
WORKDIR /project
COPY . .
RUN cargo xtask build && cp target/release/duplex /duplex

FROM debian:bookworm-slim
# The roots by which it knows a certificate authority (DUPLEX_TLS=acme) and a collector of traces.
RUN apt-get update && apt-get install --yes --no-install-recommends ca-certificates && rm -rf /var/lib/apt/lists/*
RUN useradd --system --uid 10001 duplex && install --directory --owner duplex /data
COPY --from=build /duplex /usr/local/bin/duplex
USER duplex
VOLUME /data
# Plain HTTP inside: a proxy in front speaks TLS (DUPLEX_TLS=proxy, DUPLEX_TRUSTED_PROXY), or the node does
# (DUPLEX_TLS_CERT, DUPLEX_TLS_KEY).
ENV DUPLEX_LISTEN=0.0.0.0:3000 DUPLEX_DATA=/data DUPLEX_INSECURE_HTTP=true
EXPOSE 3000
HEALTHCHECK --start-period=5s CMD ["duplex", "healthcheck"]
# Ends within 10 s of SIGTERM, having told its clients to come back; later by DUPLEX_DRAIN_DELAY_SECS.
STOPSIGNAL SIGTERM
ENTRYPOINT ["duplex"]
