"""Names of counts and figures, of roles and of states of releases, in Chinese and English; the API says their codes."""

from recsys.runs.count_names import COUNT_NAMES

COUNTS = {f"count_{name}": said for name, said in COUNT_NAMES.items()}

ROLES = {
    "role_viewer": ("查看者", "viewer"),
    "role_editor": ("编辑", "editor"),
    "role_operator": ("运维", "operator"),
    "role_owner": ("所有者", "owner"),
    "role_write": ("写入密钥", "write"),
}

RELEASE_STATES = {
    "release_candidate": ("候选", "candidate"),
    "release_shadow": ("影子", "shadow"),
    "release_canary": ("金丝雀", "canary"),
    "release_live": ("线上", "live"),
    "release_retired": ("已退役", "retired"),
}

CODES = (COUNTS, ROLES, RELEASE_STATES)
