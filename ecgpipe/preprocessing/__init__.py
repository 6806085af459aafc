"""Raw recordings to signal stores: band-pass, resampling, R-peaks."""
