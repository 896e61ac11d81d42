//! What the log says of those whom it serves: which request, which connection, which trace; and nothing that they
//! said.
