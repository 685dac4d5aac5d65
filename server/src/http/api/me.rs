//! `/api/me`: the three verbs of a person's own identity. GET returns it, POST makes an account or renames it, DELETE
//! signs out.

use axum::Json;
use axum::extract::{FromRequestParts, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum_extra::extract::CookieJar;
use contract::{Answer, Described, Operation, Place};
use icu_normalizer::ComposingNormalizerBorrowed;
use realtime::{Visitor, uncancelled};
use serde_json::{Value, json};
use shared::{DisplayName, ErrorCode, Identity, NewIdentity, Problem};
use tracing::Span;
use tracing::field::display;

use crate::accounts::RENEW_AFTER_MS;
use crate::http::body::Body;
use crate::http::error::ApiError;
use crate::http::guard::client_ip::ClientIp;
use crate::http::signed_in::{cookie, find, sign_in_id, token};
use crate::http::state::AppState;
use crate::random::random_text;
use crate::telemetry::edge_metrics::Refusal;

/// 22 of 62 letters and digits: 131 bits.
const TOKEN_CHARS: usize = 22;

/// GET: returns the identity, or 204 if nobody is signed in. Renews a sign-in that is a day old.
pub async fn me(
    State(app): State<AppState>,
    jar: CookieJar,
    from: ClientIp,
    purpose: Purpose,
) -> Result<Answer<Me>, ApiError> {
    let Some((visitor, renewed_at)) = find(&app, &jar, from).await? else {
        return Ok(Answer::of(StatusCode::NO_CONTENT));
    };
    if purpose == Purpose::Socket {
        drop(app.admit_reader(from)?);
    }
    let now = (app.clock)();
    // The distance in either direction: if a clock that was ahead renewed it, the browser's cookie still ends by the
    // browser's clock.
    if (now - renewed_at).abs() < RENEW_AFTER_MS {
        return Ok(Answer::of(Json(visitor.identity)));
    }
    if let Err(error) = app.accounts.renew(visitor.sign_in, now).await {
        // The sign-in is still valid, and is renewed tomorrow.
        tracing::warn!(%error, "a sign-in could not be renewed");
        return Ok(Answer::of(Json(visitor.identity)));
    }
    let token = token(&app, &jar).unwrap_or_default().to_owned();
    Ok(Answer::of((jar.add(cookie(&app, token)), Json(visitor.identity))))
}

/// The answers of [`me`].
pub enum Me {}

impl Described for Me {
    fn describe(operation: &mut Operation<'_>) {
        operation.answers_json::<Identity>(StatusCode::OK, "Your identity.");
        let about = "Once a day: the sign-in, renewed.";
        operation.answers_header(StatusCode::OK, "Set-Cookie", cookie_schema(), about);
        operation.answers(StatusCode::NO_CONTENT, "Nobody is signed in.");
    }
}

/// The purpose of a GET: `?for=socket` is refused where a socket would be, for a client whose socket could not be opened.
/// Browsers hide the reason of that.
#[derive(Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To get the identity.
    Identity,
    /// To learn why a socket could not be opened.
    Socket,
}

impl<S: Sync> FromRequestParts<S> for Purpose {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Purpose, ApiError> {
        let fields = parts.uri.query().into_iter().flat_map(|query| query.split('&'));
        let mut given = fields.filter_map(|field| field.strip_prefix("for="));
        match (given.next(), given.next()) {
            (None, _) => Ok(Purpose::Identity),
            (Some("socket"), None) => Ok(Purpose::Socket),
            (_, Some(_)) => Err(Problem::invalid_field("for", "must be given only once").into()),
            (Some(_), None) => Err(Problem::invalid_field("for", "must be socket, or not be given").into()),
        }
    }
}

impl Described for Purpose {
    fn describe(operation: &mut Operation<'_>) {
        let about = "Answers 429 or 503 too, as a socket would be answered.";
        operation.takes(Place::Query, "for", json!({ "type": "string", "enum": ["socket"] }), about);
        operation.refuses(ErrorCode::Invalid);
        operation.refuses(ErrorCode::TooMany);
        operation.refuses(ErrorCode::Unavailable);
    }
}

/// POST: makes an account (201), or renames the person who is signed in (200).
pub async fn sign_up_or_rename(
    State(app): State<AppState>,
    ClientIp(from): ClientIp,
    jar: CookieJar,
    caller: NameRequest,
    Body(new): Body<NewIdentity>,
) -> Result<Answer<SignUpOrRename>, ApiError> {
    // Names that look the same are the same, however a keyboard composed them (Unicode Standard Annex 15).
    let name = ComposingNormalizerBorrowed::new_nfc().normalize(&new.name);
    let name = DisplayName::parse(&name).map_err(|error| ApiError::field("name", error))?;
    if let NameRequest::Rename(visitor) = caller {
        let renamed = Identity { name, ..visitor.identity };
        let app = app.clone();
        let identity = renamed.clone();
        uncancelled(async move {
            app.accounts.rename(&identity.id, identity.name.clone()).await?;
            app.node.rename(&identity.id, &identity.name);
            Ok::<_, ApiError>(())
        })
        .await?;
        return Ok(Answer::of(Json(renamed)));
    }
    let token = random_text(TOKEN_CHARS);
    let identity = app.accounts.create(name, sign_in_id(&token), (app.clock)()).await?;
    Span::current().record("user", display(&identity.id));
    tracing::info!(%from, "an account was made");
    Ok(Answer::of((StatusCode::CREATED, jar.add(cookie(&app, token)), Json(identity))))
}

/// The answers of [`sign_up_or_rename`].
pub enum SignUpOrRename {}

impl Described for SignUpOrRename {
    fn describe(operation: &mut Operation<'_>) {
        operation.answers_json::<Identity>(StatusCode::OK, "Your name is changed.");
        operation.answers_json::<Identity>(StatusCode::CREATED, "Your account is made, with a cookie.");
        operation.answers_header(StatusCode::CREATED, "Set-Cookie", cookie_schema(), "The sign-in: keep it.");
    }
}

/// A POST within its rates: by a signed-in person, or from an address that may still make an account.
pub enum NameRequest {
    /// The person takes another name.
    Rename(Visitor),
    /// Nobody is signed in yet.
    SignUp,
}

impl FromRequestParts<AppState> for NameRequest {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<NameRequest, ApiError> {
        let Ok(from) = ClientIp::from_request_parts(parts, app).await;
        if let Some((visitor, _)) = find(app, &CookieJar::from_headers(&parts.headers), from).await? {
            // A new name costs as much as a publish: it is written to disk, and sent to everybody who sees the person.
            app.rates
                .publish(&visitor.identity.id)
                .inspect_err(|_| app.metrics.refused(Refusal::IdentityPublishes))?;
            return Ok(NameRequest::Rename(visitor));
        }
        app.rates.account(from.0).inspect_err(|_| app.metrics.refused(Refusal::AddressAccounts))?;
        Ok(NameRequest::SignUp)
    }
}

impl Described for NameRequest {
    fn describe(operation: &mut Operation<'_>) {
        operation.knows_sign_in();
        operation.refuses(ErrorCode::TooMany);
    }
}

/// DELETE: signs out. The token is invalid from then on, and the sockets that it opened are closed.
pub async fn sign_out(State(app): State<AppState>, jar: CookieJar) -> Result<Answer<SignOut>, ApiError> {
    if let Some(token) = token(&app, &jar) {
        let app = app.clone();
        let sign_in = sign_in_id(token);
        uncancelled(async move {
            app.accounts.sign_out(sign_in).await?;
            app.node.end_sign_in(sign_in);
            Ok::<_, ApiError>(())
        })
        .await?;
    }
    let mut removal = cookie(&app, String::new());
    removal.make_removal();
    Ok(Answer::of((StatusCode::NO_CONTENT, jar.add(removal))))
}

/// The answer of [`sign_out`].
pub enum SignOut {}

impl Described for SignOut {
    fn describe(operation: &mut Operation<'_>) {
        operation.answers(StatusCode::NO_CONTENT, "You are signed out, and the cookie is invalid.");
        let about = "Removes the cookie.";
        operation.answers_header(StatusCode::NO_CONTENT, "Set-Cookie", cookie_schema(), about);
    }
}

fn cookie_schema() -> Value {
    json!({ "type": "string" })
}
