"""Which names of Python's library a pickle may mention, and which ones make it refused.

Nothing that a pickle names is ever run here. A name that is allowed becomes an inert object. A name that would run code
in another program is refused all the same: a file with such a name should not be passed on as weights.
"""

import builtins
import sys

from ssd300.system.wording import words

# Modules whose objects a training script may leave in a checkpoint: they hold data, and none of their functions reads,
# writes or starts anything.
_DATA = words(
    """
    _codecs _collections _datetime _decimal _pydecimal _random _struct _uuid abc argparse array bisect calendar
    cmath codecs collections colorsys contextlib copy copyreg dataclasses datetime decimal difflib enum fractions
    functools graphlib hashlib heapq hmac inspect ipaddress itertools json locale logging math numbers operator
    pathlib pprint queue random re reprlib secrets string statistics struct textwrap time traceback types typing
    unicodedata uuid warnings weakref zoneinfo __future__ _weakrefset _operator _functools _io io threading platform
    """
)
# Of these modules, what calls or finds a function that the file chooses, or makes one, or opens a file.
_ACTIVE = words(
    """
    attrgetter methodcaller call reduce cached_property CodeType FunctionType LambdaType MethodType coroutine
    new_class prepare_class resolve_bases FileHandler open open_code FileIO __build_class__ get_type_hints Thread
    Timer fileConfig dictConfig getmodule getsourcefile getfile ForwardRef formatwarning showwarning _make_class
    make_dataclass namedtuple eval_str register module_for_loader ExitStack extract
    """
)
_ACTIVE_MODULES = frozenset({"logging.config", "logging.handlers", "json.tool"})
_BUILTINS = frozenset({"builtins", "__builtin__"})
_BUILTIN_DATA = words(
    """
    object set frozenset list dict tuple slice range complex bytearray bytes str int float bool NoneType ellipsis
    unicode long xrange type Ellipsis NotImplemented print len abs min max sum round sorted reversed enumerate zip
    repr hash id
    """
)
# Modules that read, write, start or load something: a pickle that names one was made to do that.
_RUNNING = words(
    """
    os posix nt subprocess pty shutil socket ctypes _ctypes importlib _frozen_importlib _frozen_importlib_external
    imp runpy sys code codeop multiprocessing webbrowser pickle _pickle marshal shelve dbm sqlite3 signal http
    urllib ftplib smtplib poplib imaplib telnetlib xmlrpc asyncio concurrent pdb bdb cProfile profile timeit trace
    doctest pydoc site ensurepip venv pip zipfile tarfile tempfile fileinput glob mmap resource commands
    popen2 atexit gc pkgutil zipimport distutils unittest idlelib turtle tkinter
    """
)


def is_refused(module: str, name: str) -> bool:
    """Whether a pickle that names `module.name` is refused. Names of other packages never are: they become inert."""
    top = module.partition(".")[0]
    last = name.rpartition(".")[2]
    if top in _BUILTINS:
        kind = getattr(builtins, name, None)
        is_error = isinstance(kind, type) and issubclass(kind, BaseException)
        return name not in _BUILTIN_DATA and not is_error
    if module in _ACTIVE_MODULES:
        return True
    if top in _DATA:
        # A dotted name reaches through one object into the next: datetime.datetime is fine, codecs.builtins.exec not.
        return last in _ACTIVE or any(part in sys.stdlib_module_names | _BUILTINS for part in name.split(".")[:-1])
    return top in sys.stdlib_module_names or top in _RUNNING


def would_run(module: str, name: str) -> bool:
    """Of a refused name: whether it is known to run code or to touch files, rather than one that is merely unknown.

    `getattr` is unknown: attackers use it, and so does every pickled method, and an enum of Python 3.11.
    """
    top = module.partition(".")[0]
    if top in _BUILTINS:
        return name != "getattr"
    return top in _RUNNING or name.rpartition(".")[2] in _ACTIVE
