//! The behaviour tests: one binary, one module an area, each through the outermost surface that
//! shows the fact.

// What is written about the code is true.
mod docs;
// The tree keeps its own rules: layers, sizes, names, links, lists.
mod tidy;
