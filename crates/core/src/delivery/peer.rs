//! To one user.
