"""The protocol: what one TCP endpoint does, as rows in the words of RFC 9293."""
