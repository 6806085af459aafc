"""Recordings of any source as mV [time, lead] with what their headers say; whatever cannot be
trusted is refused."""
