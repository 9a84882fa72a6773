//! What a request becomes, from its body on.
