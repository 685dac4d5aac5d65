//! The features: one folder each, named in one line here. None of them knows another.

pub mod chat; // demo
mod start;

use leptos::prelude::*;
use leptos_router::any_nested_route::{AnyNestedRoute, IntoAnyNestedRoute};
use leptos_router::components::Route;
use leptos_router::path;

use start::Start;

/// The pages of all features. Where two claim one address, the first has it.
#[component(transparent)]
pub fn FeatureRoutes() -> AnyNestedRoute {
    view! {
        <chat::ChatRoutes/> // demo
        <Route path=path!("") view=Start/>
    }
    .into_inner()
    .into_any_nested_route()
}
