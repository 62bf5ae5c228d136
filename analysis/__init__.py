"""From a run folder to what people look at: tables and reports. Imports neither torch nor zmq."""
