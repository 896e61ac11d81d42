//! The search index by tantivy.
