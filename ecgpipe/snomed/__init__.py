"""SNOMED CT concepts that the code itself names; every stage may, so it lies at the ground."""
