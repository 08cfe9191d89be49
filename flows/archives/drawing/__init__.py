"""The drawing behind the sample archive: actor prints by program, and gray photographs of them."""
