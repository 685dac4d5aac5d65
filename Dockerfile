# Builds a small image that contains only the binary.
#
#   docker build -t duplex .
#   docker run -p 3000:3000 -v duplex-data:/data duplex

FROM rust:1-bookworm AS build
WORKDIR /project
COPY . .
RUN cargo xtask build && cp target/release/duplex /duplex

FROM debian:bookworm-slim
# Root certificates, to verify a certificate authority (DUPLEX_TLS=acme) and a trace collector.
RUN apt-get update && apt-get install --yes --no-install-recommends ca-certificates && rm -rf /var/lib/apt/lists/*
RUN useradd --system --uid 10001 duplex && install --directory --owner duplex /data
COPY --from=build /duplex /usr/local/bin/duplex
USER duplex
VOLUME /data
# The container serves plain HTTP. For TLS put a proxy in front (DUPLEX_TLS=proxy, DUPLEX_TRUSTED_PROXY), or let the
# node terminate it (DUPLEX_TLS_CERT, DUPLEX_TLS_KEY).
ENV DUPLEX_LISTEN=0.0.0.0:3000 DUPLEX_DATA=/data DUPLEX_INSECURE_HTTP=true
EXPOSE 3000
HEALTHCHECK --start-period=5s CMD ["duplex", "healthcheck"]
# After SIGTERM the node asks its clients to reconnect and ends within 10 s, plus DUPLEX_DRAIN_DELAY_SECS.
STOPSIGNAL SIGTERM
ENTRYPOINT ["duplex"]
