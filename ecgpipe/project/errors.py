"""The fault of a user: a file, a param, a recording or an argument that is not as it must be.

Stages and commands tell a `UserError`, and an OSError, in one line. Any other error, a ValueError
of a library or of this package included, is a fault of the program: it keeps its traceback.
"""


class UserError(ValueError):
    """What a user can mend; the text names the thing, what is wrong, the value and the next step.

    In a pydantic validator a plain ValueError is raised: `project.params` tells it as a UserError.
    """
