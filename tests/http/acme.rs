//! Certificates from an authority, with a real one on this machine.

use std::fs;
use std::path::Path;

use rustls::version::TLS13;
use serde_json::Value;
use shared::endpoint;

use crate::support::authority::Authority;
use crate::support::tls::{connect, get};
use crate::support::{Port, TestServer, eventually};

async fn node(port: Port, authority: &Authority) -> TestServer {
    let flags = authority.flags();
    TestServer::at(port, &flags.iter().map(String::as_str).collect::<Vec<_>>())
}

async fn answers_under(root: &Path, server: &TestServer) {
    let stream = eventually("the certificate is shown", async || {
        connect(server.address(), root, &TLS13, "http/1.1").await.ok()
    });
    let answer = get(stream.await, endpoint::ME).await;
    assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
}

fn chain(server: &TestServer) -> Vec<u8> {
    fs::read(server.data().join("acme/chain.pem")).unwrap_or_default()
}

#[tokio::test]
async fn a_certificate_is_obtained_kept_over_a_restart_and_replaced_once_it_is_old() {
    let port = Port::free();
    let Some(authority) = Authority::looking_at(port.address()).await else { return };
    let mut server = node(port, &authority).await;
    let root = authority.root().await;
    answers_under(&root, &server).await;
    let first = chain(&server);

    server.kill();
    server.restart();
    answers_under(&root, &server).await;
    assert_eq!(chain(&server), first, "a young one is kept");

    server.kill();
    fs::remove_file(server.data().join("acme/key.pem")).unwrap();
    server.restart();
    answers_under(&root, &server).await;
    let second = chain(&server);
    assert_ne!(second, first, "without its key it is of no use");

    server.kill();
    let file = server.data().join("acme/account.json");
    let mut kept: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    kept["obtained_at"]["secs"] = 1_000.into();
    fs::write(&file, kept.to_string()).unwrap();
    server.restart();
    eventually("an old one is replaced", async || (chain(&server) != second).then_some(())).await;
    answers_under(&root, &server).await;
}

#[tokio::test]
async fn what_the_authority_refuses_is_told_and_the_node_goes_on() {
    let elsewhere = Port::free();
    let Some(authority) = Authority::looking_at(elsewhere.address()).await else { return };
    let server = node(Port::free(), &authority).await;
    let told = eventually("the log says why", async || {
        server.log().lines().find(|line| line.contains("could not obtain a certificate")).map(String::from)
    });
    let told = told.await;
    assert!(told.contains("localhost") && told.contains("Failed to connect"), "{told}");
}
