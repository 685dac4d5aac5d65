//! `Acme`: obtains certificates from an authority that issues them automatically (RFC 8555), such as Let's Encrypt.
//!
//! The authority opens a TLS connection to port 443 of the name and expects a certificate that answers its challenge
//! (tls-alpn-01, RFC 8737): no other port and no other program is needed. An issued certificate is written to the same
//! kind of files that an operator would write, and loaded from there.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use std::{fs, io};

use instant_acme::{
    Account, AccountCredentials, AuthorizationStatus, ChallengeType, Identifier, NewAccount, NewOrder, Order,
    OrderStatus, RetryPolicy,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::net::tls::secret_file;
use crate::net::tls::served_certificate::ServedCertificate;

/// The pause between two checks for a renewal that is due.
const CHECK_EVERY: Duration = Duration::from_secs(60 * 60);
/// The first pause after a failure. It doubles with each: authorities block clients that retry too often.
const RETRY_FIRST: Duration = Duration::from_secs(60);
/// The longest pause after a failure.
const RETRY_MAX: Duration = Duration::from_secs(6 * 60 * 60);

/// An authority, and the certificate to obtain from it.
#[derive(Debug, Clone)]
pub struct Acme {
    /// The folder for account and certificate.
    pub folder: PathBuf,
    /// The names that the certificate is for.
    pub domains: Vec<String>,
    /// The mail address at which the authority reaches the operator.
    pub contact: String,
    /// The URL of the authority's directory.
    pub directory: String,
    /// The root certificate (PEM) for the authority's own address, if the system does not trust it.
    pub root: Option<PathBuf>,
    /// The age at which a certificate is renewed.
    pub renew_after: Duration,
}

/// The contents of `account.json`: the account at the authority, and facts about the last certificate.
#[derive(Serialize, Deserialize)]
struct AcmeState {
    directory: String,
    account: Value,
    /// The names that the certificate is for; empty before the first one.
    domains: Vec<String>,
    /// Time since the Unix epoch.
    obtained_at: Duration,
}

type RenewalError = Box<dyn std::error::Error + Send + Sync>;

impl Acme {
    /// The file of the chain.
    pub fn cert(&self) -> PathBuf {
        self.folder.join("chain.pem")
    }

    /// The file of the key.
    pub fn key(&self) -> PathBuf {
        self.folder.join("key.pem")
    }

    /// Obtains the certificate and renews it when that is due, until `stop`. After a failure the old one stays in use.
    pub async fn renew_until(self, certificate: Arc<ServedCertificate>, stop: CancellationToken) {
        let mut retry = RETRY_FIRST;
        loop {
            let pause = match self.renew_if_due(&certificate).await {
                Ok(()) => {
                    retry = RETRY_FIRST;
                    CHECK_EVERY
                }
                Err(error) => {
                    let retry_secs = retry.as_secs();
                    tracing::error!(domains = ?self.domains, %error, retry_secs, "could not obtain a certificate");
                    let pause = retry;
                    retry = (2 * retry).min(RETRY_MAX);
                    pause
                }
            };
            certificate.challenges.clear();
            if stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_none() {
                return;
            }
        }
    }

    async fn renew_if_due(&self, certificate: &ServedCertificate) -> Result<(), RenewalError> {
        let state = self.load_state()?;
        if state.as_ref().is_some_and(|state| self.is_current(state, certificate)) {
            return Ok(());
        }
        let (account, mut state) = self.account(state).await?;
        let names: Vec<Identifier> = self.domains.iter().cloned().map(Identifier::Dns).collect();
        let mut order = account.new_order(&NewOrder::new(&names)).await?;
        answer_challenges(&mut order, certificate).await?;
        let status = order.poll_ready(&RetryPolicy::default()).await?;
        if status != OrderStatus::Ready {
            return Err(format!("the authority reports the order as {status:?}, not as Ready").into());
        }
        let key = order.finalize().await?;
        let chain = order.poll_certificate(&RetryPolicy::default()).await?;
        secret_file::write(&self.key(), &key)?;
        secret_file::write(&self.cert(), &chain)?;
        state.domains = self.domains.clone();
        state.obtained_at = now();
        self.save_state(&state)?;
        tracing::info!(domains = ?self.domains, "obtained a certificate");
        Ok(())
    }

    /// True if the last certificate is young enough, is for these names and authority, and its files are valid.
    fn is_current(&self, state: &AcmeState, certificate: &ServedCertificate) -> bool {
        let is_young = now().saturating_sub(state.obtained_at) < self.renew_after;
        let is_same_order = state.domains == self.domains && state.directory == self.directory;
        is_young && is_same_order && certificate.are_files_valid()
    }

    /// Returns the account of the state, or creates one at the authority.
    async fn account(&self, state: Option<AcmeState>) -> Result<(Account, AcmeState), RenewalError> {
        let builder = match &self.root {
            Some(root) => Account::builder_with_root(root)?,
            None => Account::builder()?,
        };
        if let Some(state) = state.filter(|state| state.directory == self.directory) {
            let credentials: AccountCredentials = serde_json::from_value(state.account.clone())?;
            return Ok((builder.from_credentials(credentials).await?, state));
        }
        let contact = format!("mailto:{}", self.contact);
        let new =
            NewAccount { contact: &[&contact], terms_of_service_agreed: true, only_return_existing: false };
        let (account, credentials) = builder.create(&new, self.directory.clone(), None).await?;
        let state = AcmeState {
            directory: self.directory.clone(),
            account: serde_json::to_value(credentials)?,
            domains: Vec::new(),
            obtained_at: Duration::ZERO,
        };
        self.save_state(&state)?;
        Ok((account, state))
    }

    fn load_state(&self) -> Result<Option<AcmeState>, RenewalError> {
        match fs::read(self.state_file()) {
            Ok(text) => Ok(Some(serde_json::from_slice(&text)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn save_state(&self, state: &AcmeState) -> Result<(), RenewalError> {
        fs::create_dir_all(&self.folder)?;
        secret_file::write(&self.state_file(), &serde_json::to_string(state)?)?;
        Ok(())
    }

    fn state_file(&self) -> PathBuf {
        self.folder.join("account.json")
    }
}

/// Serves the certificate for each challenge of the order, then asks the authority to check it.
async fn answer_challenges(order: &mut Order, certificate: &ServedCertificate) -> Result<(), RenewalError> {
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization?;
        if authorization.status == AuthorizationStatus::Valid {
            continue;
        }
        let mut challenge = authorization
            .challenge(ChallengeType::TlsAlpn01)
            .ok_or("the authority does not offer the challenge tls-alpn-01")?;
        let domain = challenge.identifier().to_string();
        let digest = challenge.key_authorization().digest().as_ref().to_vec();
        certificate.challenges.add(&domain, &digest)?;
        challenge.set_ready().await?;
    }
    Ok(())
}

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
