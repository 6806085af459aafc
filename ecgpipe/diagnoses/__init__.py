"""Diagnoses as SNOMED CT classes, and what each source's vocabulary can say of them."""
