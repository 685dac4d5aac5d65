//! `Routes`: handlers under their addresses, each with its documentation. There is no way to add one without.

use axum::Router;
use axum::handler::Handler;
use axum::routing::{self, MethodFilter, MethodRouter};
use schemars::SchemaGenerator;
use serde_json::{Map, Value, json};

use super::{DescribedHandler, Operation};
use crate::http::AppState;

/// What a feature hands in, and the core too.
#[derive(Default)]
pub struct Routes {
    router: Router<AppState>,
    entries: Vec<Entry>,
}

struct Entry {
    path: &'static str,
    method: &'static str,
    summary: &'static str,
    describe: fn(&mut Operation<'_>),
}

/// One function for each method: `path` is the whole path, `summary` a sentence of what the route does for its caller.
macro_rules! methods {
    ($($method:ident)*) => {$(
        #[doc = concat!("Adds a handler for the method `", stringify!($method), "`.")]
        pub fn $method<H, T, A>(self, path: &'static str, summary: &'static str, handler: H) -> Routes
        where
            H: Handler<T, AppState> + DescribedHandler<A>,
            T: 'static,
        {
            self.add::<H, A>(path, stringify!($method), summary, routing::$method(handler))
        }
    )*};
}

impl Routes {
    /// None yet.
    pub fn new() -> Routes {
        Routes::default()
    }

    methods! { get post put patch delete }

    /// Adds a WebSocket, which is a GET over HTTP/1.1 and a CONNECT over HTTP/2 (RFC 8441). OpenAPI has no word for it:
    /// it stands under one of our own, so that no tool takes it for a plain GET.
    pub fn socket<H, T, A>(self, path: &'static str, summary: &'static str, handler: H) -> Routes
    where
        H: Handler<T, AppState> + DescribedHandler<A>,
        T: 'static,
    {
        let methods = MethodFilter::GET.or(MethodFilter::CONNECT);
        self.add::<H, A>(path, "x-websocket", summary, routing::on(methods, handler))
    }

    fn add<H: DescribedHandler<A>, A>(
        mut self,
        path: &'static str,
        method: &'static str,
        summary: &'static str,
        route: MethodRouter<AppState>,
    ) -> Routes {
        self.router = self.router.route(path, route);
        self.entries.push(Entry { path, method, summary, describe: H::describe });
        self
    }

    /// These and those.
    pub fn merge(mut self, others: Routes) -> Routes {
        self.router = self.router.merge(others.router);
        self.entries.extend(others.entries);
        self
    }

    /// The OpenAPI paths object.
    pub fn paths(&self, namespaces: &[&'static str], schemas: &mut SchemaGenerator) -> Value {
        let mut paths = Map::new();
        for Entry { path, method, summary, describe } in &self.entries {
            let mut operation = Operation::new(path, namespaces, schemas);
            describe(&mut operation);
            paths.entry(*path).or_insert(json!({}))[*method] = operation.into_json(method, summary);
        }
        paths.into()
    }

    /// What answers them. What is told of them stays here.
    pub fn take_router(&mut self) -> Router<AppState> {
        std::mem::take(&mut self.router)
    }
}
