//! Recorded streams of requests, from text.
