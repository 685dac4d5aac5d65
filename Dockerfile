# One small image with the one binary in it.
#
#   docker build -t duplex .
#   docker run -p 3000:3000 -v duplex-data:/data duplex

FROM rust:1-bookworm AS build
WORKDIR /project
COPY . .
RUN cargo xtask build && cp target/release/duplex /duplex

FROM debian:bookworm-slim
RUN useradd --system --uid 10001 duplex && install --directory --owner duplex /data
COPY --from=build /duplex /usr/local/bin/duplex
USER duplex
VOLUME /data
# Plain HTTP inside: a proxy in front speaks TLS, or the node does (DUPLEX_TLS_CERT, DUPLEX_TLS_KEY).
ENV DUPLEX_LISTEN=0.0.0.0:3000 DUPLEX_DATA=/data DUPLEX_INSECURE_HTTP=true
EXPOSE 3000
# Ends on SIGTERM within 10 s, having told its clients to come back.
STOPSIGNAL SIGTERM
ENTRYPOINT ["duplex"]
