"""A package, because a library that the tests need installs a package of the same name."""
