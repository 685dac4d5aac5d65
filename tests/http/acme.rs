//! Certificates from an ACME server, with a real one on this machine.

use std::fs;
use std::path::Path;

use rustls::version::TLS13;
use serde_json::Value;
use shared::endpoint;

use crate::support::acme_server::AcmeServer;
use crate::support::tls::{connect, get};
use crate::support::{Port, TestServer, eventually};

async fn node(port: Port, acme: &AcmeServer) -> TestServer {
    let flags = acme.flags();
    TestServer::at(port, &flags.iter().map(String::as_str).collect::<Vec<_>>())
}

async fn assert_trusted_by(root: &Path, server: &TestServer) {
    let stream = eventually("the certificate is served", async || {
        connect(server.address(), root, &TLS13, "http/1.1").await.ok()
    });
    let answer = get(stream.await, endpoint::ME).await;
    assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
}

fn chain(server: &TestServer) -> Vec<u8> {
    fs::read(server.data().join("acme/chain.pem")).unwrap_or_default()
}

#[tokio::test]
async fn a_certificate_is_obtained_kept_across_a_restart_and_replaced_once_it_is_old() {
    let port = Port::free();
    let Some(acme) = AcmeServer::validating(port.address()).await else { return };
    let mut server = node(port, &acme).await;
    let root = acme.root().await;
    assert_trusted_by(&root, &server).await;
    let first = chain(&server);

    server.kill();
    server.restart();
    assert_trusted_by(&root, &server).await;
    assert_eq!(chain(&server), first, "a new certificate is kept");

    server.kill();
    fs::remove_file(server.data().join("acme/key.pem")).unwrap();
    server.restart();
    assert_trusted_by(&root, &server).await;
    let second = chain(&server);
    assert_ne!(second, first, "a certificate without its key is replaced");

    server.kill();
    let file = server.data().join("acme/account.json");
    let mut account: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    account["obtained_at"]["secs"] = 1_000.into();
    fs::write(&file, account.to_string()).unwrap();
    server.restart();
    eventually("an old certificate is replaced", async || (chain(&server) != second).then_some(())).await;
    assert_trusted_by(&root, &server).await;
}

#[tokio::test]
async fn a_refusal_of_the_acme_server_is_logged_and_the_node_keeps_running() {
    let unused_port = Port::free();
    let Some(acme) = AcmeServer::validating(unused_port.address()).await else { return };
    let server = node(Port::free(), &acme).await;
    let line = eventually("stderr contains the reason", async || {
        server.stderr().lines().find(|line| line.contains("could not obtain a certificate")).map(String::from)
    });
    let line = line.await;
    assert!(line.contains("localhost") && line.contains("Failed to connect"), "{line}");
}
