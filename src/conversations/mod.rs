//! USE CASE: the conversations that agents' programs keep of their own, as far as they are about a repository.
//!
//! Finds their logs and reads what these say of themselves. Reads no session, and nothing of what was said.

pub mod logs;
pub mod repository;

pub use logs::{Finding, LOGS_MAX, Reach, Unread, find};
pub use repository::Repository;
