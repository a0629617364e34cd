//! What belongs to whoever asks.

use super::PushError;
use crate::login::Account;
use crate::repo::RepoKind;
use crate::{Error, Hub, Repo};

/// Asks the Hub whose token it is.
///
/// # Errors
/// No token; one that the Hub does not know, or that may only read.
pub(super) fn ask(hub: &Hub) -> Result<Account, PushError> {
    let account = hub.whoami()?;
    // Tokens with rights of their own for each repo say `fineGrained`: what those allow is for the Hub to tell.
    if account.role.as_deref() == Some("read") {
        return Err(PushError::ReadOnly { user: account.name, endpoint: hub.settings().endpoint.clone() });
    }
    Ok(account)
}

impl Account {
    /// The repo that is meant: a name alone is one of one's own.
    ///
    /// # Errors
    /// What cannot be the name of a repo.
    pub(super) fn repo(&self, name: &str) -> Result<Repo, PushError> {
        let whole = if name.contains('/') { name.to_owned() } else { format!("{}/{name}", self.name) };
        let (repo, revision) = Repo::parse(RepoKind::Model, &whole)?;
        if revision.is_some() {
            return Err(
                Error::Name { text: name.to_owned(), kind: "model to push to, with its branch as --revision" }.into()
            );
        }
        Ok(repo)
    }

    /// What to make of a 403.
    pub(super) fn forbidden(&self, repo: &Repo, message: String) -> PushError {
        let spaces =
            std::iter::once(&self.name).chain(&self.organisations).map(|space| format!("{space}/...")).collect();
        PushError::Forbidden { repo: repo.clone(), user: self.name.clone(), message, spaces }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_alone_is_ones_own() {
        let account = Account {
            name: "ada".to_owned(),
            token_name: "laptop".to_owned(),
            role: None,
            organisations: vec!["acme".to_owned()],
        };
        assert_eq!(account.repo("model").unwrap(), Repo::model("ada/model"));
        assert_eq!(account.repo("acme/model").unwrap(), Repo::model("acme/model"));
        for bad in ["", "a/b/c", "../x", "model@main", "a b", "/model"] {
            assert!(account.repo(bad).is_err(), "{bad:?}");
        }
        let said = account.forbidden(&Repo::model("other/model"), String::new()).to_string();
        assert!(said.contains("ada/..., acme/..."), "{said}");
    }
}
