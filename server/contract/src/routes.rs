//! `Routes`: handlers under their paths, each with its documentation. A route cannot be added without.

use axum::Router;
use axum::handler::Handler;
use axum::routing::{self, MethodFilter, MethodRouter};
use schemars::SchemaGenerator;
use serde_json::{Map, Value, json};

use crate::described::DescribedHandler;
use crate::operation::Operation;

/// The routes of a feature, or of the core.
pub struct Routes<S> {
    router: Router<S>,
    entries: Vec<RouteEntry>,
}

struct RouteEntry {
    path: &'static str,
    method: &'static str,
    summary: &'static str,
    describe: fn(&mut Operation<'_>),
}

/// Defines a function for each method. `path` is the whole path, `summary` a sentence about the route for its caller.
macro_rules! methods {
    ($($method:ident)*) => {$(
        #[doc = concat!("Adds a handler for the method `", stringify!($method), "`.")]
        pub fn $method<H, T, A>(self, path: &'static str, summary: &'static str, handler: H) -> Routes<S>
        where
            H: Handler<T, S> + DescribedHandler<A>,
            T: 'static,
        {
            self.add::<H, A>(path, stringify!($method), summary, routing::$method(handler))
        }
    )*};
}

impl<S: Clone + Send + Sync + 'static> Default for Routes<S> {
    fn default() -> Routes<S> {
        Routes { router: Router::new(), entries: Vec::new() }
    }
}

impl<S: Clone + Send + Sync + 'static> Routes<S> {
    /// Creates an empty set of routes.
    pub fn new() -> Routes<S> {
        Routes::default()
    }

    methods! { get post put patch delete }

    /// Adds a WebSocket, which is a GET over HTTP/1.1 and a CONNECT over HTTP/2 (RFC 8441). OpenAPI has no word for it: it
    /// stands under `x-websocket`, so that no tool takes it for a plain GET.
    pub fn socket<H, T, A>(self, path: &'static str, summary: &'static str, handler: H) -> Routes<S>
    where
        H: Handler<T, S> + DescribedHandler<A>,
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
        route: MethodRouter<S>,
    ) -> Routes<S> {
        self.router = self.router.route(path, route);
        self.entries.push(RouteEntry { path, method, summary, describe: H::describe });
        self
    }

    /// Joins two sets of routes.
    pub fn merge(mut self, others: Routes<S>) -> Routes<S> {
        self.router = self.router.merge(others.router);
        self.entries.extend(others.entries);
        self
    }

    /// Makes the OpenAPI paths object.
    pub fn paths(&self, namespaces: &[&'static str], schemas: &mut SchemaGenerator) -> Value {
        let mut paths = Map::new();
        for RouteEntry { path, method, summary, describe } in &self.entries {
            let mut operation = Operation::new(path, namespaces, schemas);
            describe(&mut operation);
            paths.entry(*path).or_insert(json!({}))[*method] = operation.into_json(method, summary);
        }
        paths.into()
    }

    /// Takes the router out, and leaves the documentation.
    pub fn take_router(&mut self) -> Router<S> {
        std::mem::replace(&mut self.router, Router::new())
    }
}
