//! A certificate from an authority that gives them out by itself (ACME, RFC 8555), such as Let's Encrypt.
//!
//! The authority asks the node, over TLS on port 443 of the name, for a certificate that answers its challenge
//! (tls-alpn-01, RFC 8737): no other port and no other program is needed. What it issues is written to the same kind
//! of files that an operator would write, and shown from there.

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

use crate::net::tls::{Current, secret};

/// How ALPN names a handshake that only answers a challenge.
pub const PROTOCOL: &[u8] = b"acme-tls/1";
/// How often it is looked whether a new certificate is due.
const LOOK_EVERY: Duration = Duration::from_secs(60 * 60);
/// Authorities refuse whoever tries again and again.
const RETRY_FIRST: Duration = Duration::from_secs(60);
const RETRY_MAX: Duration = Duration::from_secs(6 * 60 * 60);

/// Who asks whom for what.
#[derive(Debug, Clone)]
pub struct Acme {
    /// Where account and certificate are kept.
    pub folder: PathBuf,
    /// The names that the certificate is for.
    pub domains: Vec<String>,
    /// Whom the authority may write to.
    pub contact: String,
    /// The authority's first address.
    pub directory: String,
    /// The root (PEM) that vouches for the authority's own address, where the system's roots do not.
    pub root: Option<PathBuf>,
    /// A certificate of this age is replaced.
    pub renew_after: Duration,
}

/// What is remembered: who we are to the authority, and what it gave.
#[derive(Serialize, Deserialize)]
struct Kept {
    directory: String,
    account: Value,
    /// What the certificate is for; nothing before the first one.
    domains: Vec<String>,
    obtained_at: Duration,
}

type Failed = Box<dyn std::error::Error + Send + Sync>;

impl Acme {
    /// The file of the chain.
    pub fn cert(&self) -> PathBuf {
        self.folder.join("chain.pem")
    }

    /// The file of the key.
    pub fn key(&self) -> PathBuf {
        self.folder.join("key.pem")
    }

    /// Obtains the certificate and every one after it, until `stop`. While that fails the old one is shown.
    pub async fn keep(self, current: Arc<Current>, stop: CancellationToken) {
        let mut retry = RETRY_FIRST;
        loop {
            let pause = match self.renew(&current).await {
                Ok(()) => {
                    retry = RETRY_FIRST;
                    LOOK_EVERY
                }
                Err(error) => {
                    tracing::error!(domains = ?self.domains, %error, retry_secs = retry.as_secs(), "no certificate was obtained");
                    let pause = retry;
                    retry = (2 * retry).min(RETRY_MAX);
                    pause
                }
            };
            current.challenges.clear();
            if stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_none() {
                return;
            }
        }
    }

    async fn renew(&self, current: &Current) -> Result<(), Failed> {
        let kept = self.kept()?;
        if kept.as_ref().is_some_and(|kept| self.is_current(kept, current)) {
            return Ok(());
        }
        let (account, mut kept) = self.account(kept).await?;
        let names: Vec<Identifier> = self.domains.iter().cloned().map(Identifier::Dns).collect();
        let mut order = account.new_order(&NewOrder::new(&names)).await?;
        answer_challenges(&mut order, current).await?;
        let status = order.poll_ready(&RetryPolicy::default()).await?;
        if status != OrderStatus::Ready {
            return Err(format!("the order is {status:?}, and should be ready").into());
        }
        let key = order.finalize().await?;
        let chain = order.poll_certificate(&RetryPolicy::default()).await?;
        secret::write(&self.key(), &key)?;
        secret::write(&self.cert(), &chain)?;
        (kept.domains, kept.obtained_at) = (self.domains.clone(), now());
        self.keep_file(&kept)?;
        tracing::info!(domains = ?self.domains, "a certificate was obtained");
        Ok(())
    }

    /// Whether what was obtained is good for today, and both files are still what they were.
    fn is_current(&self, kept: &Kept, current: &Current) -> bool {
        let is_young = now().saturating_sub(kept.obtained_at) < self.renew_after;
        let fits = kept.domains == self.domains && kept.directory == self.directory;
        is_young && fits && current.can_be_read()
    }

    /// The account that is there, or a new one.
    async fn account(&self, kept: Option<Kept>) -> Result<(Account, Kept), Failed> {
        let builder = match &self.root {
            Some(root) => Account::builder_with_root(root)?,
            None => Account::builder()?,
        };
        if let Some(kept) = kept.filter(|kept| kept.directory == self.directory) {
            let credentials: AccountCredentials = serde_json::from_value(kept.account.clone())?;
            return Ok((builder.from_credentials(credentials).await?, kept));
        }
        let contact = format!("mailto:{}", self.contact);
        let new =
            NewAccount { contact: &[&contact], terms_of_service_agreed: true, only_return_existing: false };
        let (account, credentials) = builder.create(&new, self.directory.clone(), None).await?;
        let (directory, credentials) = (self.directory.clone(), serde_json::to_value(credentials)?);
        let kept = Kept { directory, account: credentials, domains: Vec::new(), obtained_at: Duration::ZERO };
        self.keep_file(&kept)?;
        Ok((account, kept))
    }

    fn kept(&self) -> Result<Option<Kept>, Failed> {
        match fs::read(self.account_file()) {
            Ok(text) => Ok(Some(serde_json::from_slice(&text)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn keep_file(&self, kept: &Kept) -> Result<(), Failed> {
        fs::create_dir_all(&self.folder)?;
        Ok(secret::write(&self.account_file(), &serde_json::to_string(kept)?)?)
    }

    fn account_file(&self) -> PathBuf {
        self.folder.join("account.json")
    }
}

/// Shows what the authority will look for, then tells it to look.
async fn answer_challenges(order: &mut Order, current: &Current) -> Result<(), Failed> {
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization?;
        if authorization.status == AuthorizationStatus::Valid {
            continue;
        }
        let mut challenge =
            authorization.challenge(ChallengeType::TlsAlpn01).ok_or("the authority has no tls-alpn-01")?;
        let domain = challenge.identifier().to_string();
        let digest = challenge.key_authorization().digest().as_ref().to_vec();
        current.challenges.show(&domain, &digest)?;
        challenge.set_ready().await?;
    }
    Ok(())
}

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
